-- Recognition without money: who did in a quarter what a rule recognises, and who came short of it.
with recognition_rule as (
    select * from {{ ref('recognition_rule') }}
),

reporting_period as (
    select * from {{ ref('int_reporting_period') }}
    where period_grain = 'quarter' and is_complete
),

observation_article as (
    select * from {{ ref('int_observation_article') }}
    where employee_number is not null
),

observation_ticket as (
    select * from {{ ref('int_observation_ticket') }}
    where employee_number is not null
),

ticket_contribution as (
    select * from {{ ref('int_ticket_contribution') }}
    where is_counted
),

ticket_course as (
    select * from {{ ref('int_ticket_course') }}
    where observation_status = 'observed'
),

employee_assignment as (
    select * from {{ ref('int_employee_assignment') }}
),

team as (
    select * from {{ ref('team') }}
),

-- of count_number occasions, good_number were what the rule recognises
occasion as (
    select
        employee_number,
        'knowledge_published' as recognised_fact,
        observed_at,
        published_count as good_number,
        published_count as count_number
    from observation_article

    union all

    select
        employee_number,
        'knowledge_useful' as recognised_fact,
        observed_at,
        useful_count as good_number,
        published_count as count_number
    from observation_article

    union all

    -- of what arrived at the first tier, the first person it was given to kept it from going up
    select
        ticket_course.first_employee_number as employee_number,
        'escalation_prevented' as recognised_fact,
        ticket_course.resolved_at as observed_at,
        case when ticket_course.escalation_count = 0 then 1 else 0 end as good_number,
        1 as count_number
    from ticket_course
    inner join team on ticket_course.first_team_code = team.team_code
    where team.tier = 1 and ticket_course.first_employee_number is not null

    union all

    select
        employee_number,
        'first_contact' as recognised_fact,
        observed_at,
        first_contact_resolved_count as good_number,
        ticket_count as count_number
    from observation_ticket

    union all

    select
        ticket_contribution.employee_number,
        'contribution' as recognised_fact,
        ticket_course.resolved_at as observed_at,
        1 as good_number,
        1 as count_number
    from ticket_contribution
    inner join ticket_course on ticket_contribution.ticket_key = ticket_course.ticket_key
),

counted as (
    select
        recognition_rule.recognition_code,
        recognition_rule.recognition_name,
        recognition_rule.recognised_fact,
        recognition_rule.recognition_form,
        recognition_rule.minimum_count,
        recognition_rule.minimum_share,
        reporting_period.period_code as earned_quarter,
        reporting_period.period_start_on,
        reporting_period.period_end_on,
        occasion.employee_number,
        sum(occasion.good_number) as recognised_count,
        sum(occasion.count_number) as occasion_count
    from recognition_rule
    inner join reporting_period
        on
            reporting_period.period_start_on >= recognition_rule.effective_from
            and reporting_period.period_start_on <= coalesce(recognition_rule.effective_to, date '9999-12-31')
    inner join occasion
        on
            recognition_rule.recognised_fact = occasion.recognised_fact
            and cast(reporting_period.period_start_on as timestamp) <= occasion.observed_at
            and cast(reporting_period.period_end_on as timestamp) > occasion.observed_at
    group by
        recognition_rule.recognition_code,
        recognition_rule.recognition_name,
        recognition_rule.recognised_fact,
        recognition_rule.recognition_form,
        recognition_rule.minimum_count,
        recognition_rule.minimum_share,
        reporting_period.period_code,
        reporting_period.period_start_on,
        reporting_period.period_end_on,
        occasion.employee_number
),

placed as (
    select
        counted.*,
        employee_assignment.team_code,
        employee_assignment.country_code,
        employee_assignment.employee_number is not null as is_known,
        employee_assignment.assigned_to_on is null
        or employee_assignment.assigned_to_on >= counted.period_end_on as is_employed_at_end
    from counted
    left join employee_assignment
        on
            counted.employee_number = employee_assignment.employee_number
            and counted.period_end_on > employee_assignment.assigned_from_on
            and (
                employee_assignment.assigned_to_on is null
                or counted.period_start_on < employee_assignment.assigned_to_on
            )
    qualify row_number() over (
            partition by counted.recognition_code, counted.earned_quarter, counted.employee_number
            order by employee_assignment.assigned_from_on desc
        ) = 1
),

judged as (
    select
        *,
        case
            when not is_known then 'not_in_hris'
            when not is_employed_at_end then 'left_before_quarter_end'
            when recognised_count < minimum_count then 'too_few'
            when
                minimum_share is not null
                and {{ exact_integer('recognised_count') }} * 10000
                < {{ integer_units('minimum_share', 4) }} * occasion_count
                then 'share_too_low'
            else 'recognised'
        end as recognition_status
    from placed
),

final as (
    select
        cast({{ md5_of(['recognition_code', 'earned_quarter', 'employee_number']) }} as varchar) as recognition_id,
        cast(recognition_code as varchar) as recognition_code,
        cast(recognition_name as varchar) as recognition_name,
        cast(recognised_fact as varchar) as recognised_fact,
        cast(earned_quarter as varchar) as earned_quarter,
        cast(employee_number as varchar) as employee_number,
        cast(team_code as varchar) as team_code,
        cast(country_code as varchar) as country_code,
        cast(recognised_count as bigint) as recognised_count,
        cast(occasion_count as bigint) as occasion_count,
        cast(minimum_count as integer) as minimum_count,
        cast(minimum_share as decimal(9, 4)) as minimum_share,
        cast(recognition_status as varchar) as recognition_status,
        cast(recognition_status = 'recognised' as boolean) as is_recognised,
        cast(case when recognition_status = 'recognised' then recognition_form end as varchar) as recognition_form
    from judged
)

select * from final
