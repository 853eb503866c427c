-- A ticket whose history ends in another state than its record shows: the audit and the record were extracted
-- at different times, or a change was made past the audit. The clock follows the history. Warns only.
{{ config(meta={'dagster': {'ref': {'name': 'int_ticket'}}}) }}
with mapped_incidents as (
    select
        incidents.number,
        incidents.state,
        incidents.sys_updated_at,
        coalesce(ticket_states.ticket_state, 'unknown') as recorded_state
    from {{ ref('stg_servicenow__incidents') }} as incidents
    left join {{ ref('ticket_state') }} as ticket_states
        on
            incidents.state = ticket_states.source_value
            and ticket_states.source_system = 'servicenow'
)

select
    tickets.ticket_key,
    tickets.ticket_state,
    mapped_incidents.recorded_state
from {{ ref('int_ticket') }} as tickets
inner join mapped_incidents on tickets.ticket_number = mapped_incidents.number
cross join {{ ref('int_run_context') }} as run_context
where
    tickets.source_system = 'servicenow'
    and mapped_incidents.sys_updated_at <= run_context.as_of_at
    and mapped_incidents.recorded_state <> tickets.ticket_state
