-- A state of a source that the seed ticket_state does not map: it would silently count as unknown and keep
-- the clock as it was. Add it to the seed.
{{ config(meta={'dagster': {'ref': {'name': 'int_ticket_event'}}}) }}
select
    records.source_system,
    events.source_state,
    count(*) as event_count
from {{ ref('int_ticket_event') }} as events
inner join {{ ref('int_ticket_record') }} as records on events.ticket_key = records.ticket_key
left join {{ ref('ticket_state') }} as ticket_states
    on
        records.source_system = ticket_states.source_system
        and events.source_state = ticket_states.source_value
where events.source_state is not null and ticket_states.source_value is null
group by records.source_system, events.source_state
