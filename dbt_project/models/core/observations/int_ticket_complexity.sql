-- How much work a ticket is worth: points of the governed rules that fit it, and the class the points fall into.
with courses as (
    select * from {{ ref('int_ticket_course') }}
),

incidents as (
    select * from {{ ref('stg_servicenow__incidents') }}
),

issues as (
    select * from {{ ref('stg_jira__issues') }}
),

categories as (
    select * from {{ ref('int_performance_category') }}
),

field_uses as (
    select * from {{ ref('observation_field') }}
),

rules as (
    select * from {{ ref('complexity_rule') }}
),

classes as (
    select * from {{ ref('complexity_class') }}
),

-- the same record that int_ticket_record takes
incident_categories as (
    select
        'servicenow:' || number as ticket_key,
        category as source_category
    from incidents
    qualify row_number() over (partition by number order by sys_updated_at desc nulls last, incident_id asc) = 1
),

issue_categories as (
    select
        'jira:' || issue_key as ticket_key,
        request_type as source_category
    from issues
    qualify row_number() over (partition by issue_key order by updated_at desc nulls last, issue_id asc) = 1
),

source_categories as (
    select * from incident_categories
    union all
    select * from issue_categories
),

used_categories as (
    select
        categories.ticket_key,
        max(case when field_uses.use_code = 'category' then categories.performance_category end)
            as performance_category,
        max(case when field_uses.use_code = 'effort' then categories.performance_category end) as effort_category
    from categories
    inner join field_uses
        on categories.source_system = field_uses.source_system and categories.field_name = field_uses.field_name
    group by categories.ticket_key
),

described as (
    select
        courses.ticket_key,
        courses.source_system,
        cast(courses.opened_at as date) as opened_on,
        courses.priority,
        courses.handover_count,
        source_categories.source_category,
        used_categories.performance_category,
        used_categories.effort_category
    from courses
    left join source_categories on courses.ticket_key = source_categories.ticket_key
    left join used_categories on courses.ticket_key = used_categories.ticket_key
),

-- tickets alike in everything a rule can ask are judged once
situations as (
    select distinct
        source_system,
        opened_on,
        priority,
        handover_count,
        source_category,
        effort_category
    from described
),

fitting as (
    select
        situations.source_system,
        situations.opened_on,
        situations.priority,
        situations.handover_count,
        situations.source_category,
        situations.effort_category,
        sum(rules.points_value) as points_value,
        {{ string_list('rules.rule_code', 'rules.rule_code') }} as rule_codes
    from situations
    inner join rules
        on
            (rules.source_system is null or situations.source_system = rules.source_system)
            and situations.opened_on >= rules.effective_from
            and situations.opened_on <= coalesce(rules.effective_to, date '9999-12-31')
            and case rules.attribute_code
                when 'any' then true
                when 'source_category' then situations.source_category = rules.attribute_value
                when 'effort_category' then situations.effort_category = rules.attribute_value
                when 'priority'
                    then
                        situations.priority >= rules.from_number
                        and situations.priority <= coalesce(rules.to_number, situations.priority)
                when 'handover_count'
                    then
                        situations.handover_count >= rules.from_number
                        and situations.handover_count <= coalesce(rules.to_number, situations.handover_count)
            end
    group by
        situations.source_system,
        situations.opened_on,
        situations.priority,
        situations.handover_count,
        situations.source_category,
        situations.effort_category
),

final as (
    select
        described.ticket_key,
        described.source_category,
        described.performance_category,
        described.effort_category,
        described.handover_count,
        cast(coalesce(fitting.points_value, 0) as bigint) as complexity_points_value,
        classes.complexity_code,
        fitting.rule_codes
    from described
    left join fitting
        on
            described.source_system = fitting.source_system
            and described.opened_on = fitting.opened_on
            and described.priority is not distinct from fitting.priority
            and described.handover_count = fitting.handover_count
            and described.source_category is not distinct from fitting.source_category
            and described.effort_category is not distinct from fitting.effort_category
    left join classes
        on
            fitting.points_value >= classes.from_points_value
            and fitting.points_value <= coalesce(classes.to_points_value, 999999999)
)

select * from final
