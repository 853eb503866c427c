with log_events as (
    select * from {{ ref('stg_servicenow_event_log__incident_events') }}
),

ticket_states as (
    select * from {{ ref('ticket_state') }}
    where source_system = 'servicenow_event_log'
),

teams as (
    select * from {{ ref('team') }}
),

ordered as (
    select
        *,
        row_number() over (
            partition by number
            order by sys_updated_at, sys_mod_count nulls first, source_row_number
        ) as source_sequence
    from log_events
),

named as (
    select
        'servicenow_event_log:' || ordered.number as ticket_key,
        ordered.sys_updated_at as recorded_at,
        cast(ordered.source_sequence as integer) as source_sequence,
        case
            when ordered.incident_state is not null then coalesce(ticket_states.ticket_state, 'unknown')
        end as ticket_state,
        ordered.incident_state as source_state,
        -- '?' says the export does not know the value, not that it was taken away: the last known one holds
        last_value(ordered.priority ignore nulls) over ticket_history as priority,
        cast(null as varchar) as service_code,
        cast(null as varchar) as configuration_item_code,
        cast(null as varchar) as contract_code,
        last_value(teams.team_code ignore nulls) over ticket_history as team_code,
        last_value(ordered.assignment_group ignore nulls) over ticket_history as assignment_group_name,
        -- the log names resolvers by its own numbers; nothing ties them to an employee
        cast(null as varchar) as assigned_employee_number,
        cast(1 as bigint) as source_row_count,
        ordered.batch_id,
        cast(null as varchar) as inferred_reason
    from ordered
    left join ticket_states on ordered.incident_state = ticket_states.source_value
    left join teams on ordered.assignment_group = teams.assignment_group_name
    window ticket_history as (
        partition by ordered.number
        order by ordered.source_sequence
        rows between unbounded preceding and current row
    )
)

select * from named
