with incidents as (
    select * from {{ ref('stg_servicenow__incidents') }}
),

incident_values as (
    select * from {{ ref('stg_servicenow__incident_field_values') }}
),

issues as (
    select * from {{ ref('stg_jira__issues') }}
),

issue_values as (
    select * from {{ ref('stg_jira__issue_field_values') }}
),

mappings as (
    select * from {{ ref('field_mapping') }}
),

field_values as (
    select
        'servicenow:' || incidents.number as ticket_key,
        'servicenow' as source_system,
        'incident' as entity,
        incident_values.field_name,
        incident_values.field_name as field_id,
        incident_values.field_value,
        cast(incidents.opened_at as date) as opened_on,
        incident_values.batch_id
    from incident_values
    inner join incidents on incident_values.incident_id = incidents.incident_id
    union all
    select
        'jira:' || issues.issue_key as ticket_key,
        'jira' as source_system,
        'issue' as entity,
        issue_values.field_name,
        issue_values.field_id,
        issue_values.field_value,
        cast(issues.created_at as date) as opened_on,
        issue_values.batch_id
    from issue_values
    inner join issues on issue_values.issue_id = issues.issue_id
),

fitting as (
    select
        field_values.*,
        mappings.mapping_code,
        mappings.performance_category as mapped_category
    from field_values
    left join mappings
        on
            field_values.source_system = mappings.source_system
            and field_values.entity = mappings.entity
            and field_values.field_name = mappings.field_name
            and field_values.opened_on >= mappings.effective_from
            and field_values.opened_on <= coalesce(mappings.effective_to, date '9999-12-31')
            and case mappings.operator
                when 'is' then field_values.field_value = mappings.value_from
                when 'starts_with'
                    then left(field_values.field_value, length(mappings.value_from)) = mappings.value_from
                when 'between'
                    then
                        try_cast(field_values.field_value as decimal(38, 9))
                        >= coalesce(cast(mappings.value_from as decimal(38, 9)), -1000000000000)
                        and try_cast(field_values.field_value as decimal(38, 9))
                        < coalesce(cast(mappings.value_to as decimal(38, 9)), 1000000000000)
            end
),

-- two fields of one name are counted as one that may contradict itself
judged as (
    select
        ticket_key,
        source_system,
        entity,
        field_name,
        max(field_value) as field_value,
        max(opened_on) as opened_on,
        count(distinct field_id) as field_count,
        count(distinct mapped_category) as category_count,
        max(mapped_category) as mapped_category,
        {{ string_list('mapping_code', 'mapping_code') }} as mapping_codes,
        max(batch_id) as batch_id
    from fitting
    group by ticket_key, source_system, entity, field_name
),

statuses as (
    select
        *,
        case
            when field_value is null then 'no_value'
            when category_count > 1 then 'conflict'
            when category_count = 1 then 'mapped'
            else 'unmapped'
        end as mapping_status
    from judged
),

final as (
    select
        ticket_key,
        source_system,
        entity,
        field_name,
        field_value,
        opened_on,
        mapping_status,
        case when mapping_status = 'mapped' then mapped_category end as performance_category,
        mapping_codes,
        field_count,
        batch_id
    from statuses
)

select * from final
