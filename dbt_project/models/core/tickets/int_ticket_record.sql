with incidents as (
    select * from {{ ref('stg_servicenow__incidents') }}
),

log_events as (
    select * from {{ ref('stg_servicenow_event_log__incident_events') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

servicenow as (
    select
        'servicenow' as source_system,
        number as ticket_number,
        opened_at,
        priority,
        made_sla,
        reopen_count,
        contact_type as channel,
        resolved_at as source_resolved_at,
        closed_at as source_closed_at,
        batch_id
    from incidents
    qualify row_number() over (
            partition by number order by sys_updated_at desc nulls last, incident_id asc
        ) = 1
),

-- the log repeats the record's header on every event; the last event holds what the record says in the end
event_log as (
    select
        'servicenow_event_log' as source_system,
        number as ticket_number,
        min(opened_at) over (partition by number) as opened_at,
        priority,
        made_sla,
        reopen_count,
        contact_type as channel,
        resolved_at as source_resolved_at,
        closed_at as source_closed_at,
        batch_id
    from log_events
    qualify row_number() over (
            partition by number
            order by sys_updated_at desc nulls last, sys_mod_count desc nulls last, source_row_number desc
        ) = 1
),

unioned as (
    select * from servicenow
    union all
    select * from event_log
),

known_by_as_of as (
    select
        unioned.source_system || ':' || unioned.ticket_number as ticket_key,
        unioned.*
    from unioned
    cross join run_context
    where unioned.opened_at <= run_context.as_of_at
)

select * from known_by_as_of
