{{ config(severity='warn') }}
-- A ticket whose history ends in another state than its record shows: the audit and the record were extracted at
-- different times, or a change was made past the audit. The clock follows the history.
select
    tickets.ticket_key,
    tickets.ticket_state,
    incidents.state
from {{ ref('int_ticket') }} as tickets
inner join {{ ref('stg_servicenow__incidents') }} as incidents
    on tickets.ticket_number = incidents.number
cross join {{ ref('int_run_context') }} as run_context
left join {{ ref('ticket_state') }} as ticket_states
    on ticket_states.source_system = 'servicenow'
    and incidents.state = ticket_states.source_value
where
    tickets.source_system = 'servicenow'
    and incidents.sys_updated_at <= run_context.as_of_at
    and coalesce(ticket_states.ticket_state, 'unknown') <> tickets.ticket_state
