with change_requests as (
    select * from {{ ref('stg_servicenow__change_requests') }}
),

source_services as (
    select * from {{ ref('stg_servicenow__services') }}
),

source_groups as (
    select * from {{ ref('stg_servicenow__groups') }}
),

teams as (
    select * from {{ ref('team') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

named as (
    select
        'servicenow:' || change_requests.number as change_request_key,
        'servicenow' as source_system,
        change_requests.number as change_number,
        change_requests.change_type,
        case cast(change_requests.state as varchar)
            when '-5' then 'new'
            when '-4' then 'assess'
            when '-3' then 'authorize'
            when '-2' then 'scheduled'
            when '-1' then 'implement'
            when '0' then 'review'
            when '3' then 'closed'
            when '4' then 'canceled'
            else 'unknown'
        end as change_state,
        case cast(change_requests.risk as varchar)
            when '1' then 'very_high'
            when '2' then 'high'
            when '3' then 'moderate'
            when '4' then 'low'
            else 'unknown'
        end as risk_code,
        source_services.service_code,
        teams.team_code,
        change_requests.planned_start_at,
        change_requests.planned_end_at,
        change_requests.close_code,
        change_requests.batch_id,
        run_context.as_of_at
    from change_requests
    cross join run_context
    left join source_services on change_requests.business_service_id = source_services.service_id
    left join source_groups on change_requests.assignment_group_id = source_groups.group_id
    left join teams on source_groups.group_name = teams.assignment_group_name
    where change_requests.opened_at <= run_context.as_of_at
),

final as (
    select
        change_request_key,
        source_system,
        change_number,
        change_type,
        change_state,
        risk_code,
        service_code,
        team_code,
        planned_start_at,
        planned_end_at,
        close_code,
        coalesce(
            change_state in ('review', 'closed')
            and planned_start_at < planned_end_at
            and planned_end_at <= as_of_at,
            false
        ) as is_implemented,
        batch_id
    from named
)

select * from final
