with events as (
    select * from {{ ref('int_ticket_event') }}
),

tickets as (
    select * from {{ ref('int_ticket') }}
),

hashed as (
    select
        ticket_id,
        ticket_key,
        {{ values_hash([
            'event_at', 'event_sequence', 'ticket_state', 'is_state_carried', 'is_inferred', 'priority', 'service_code',
            'team_code', 'contract_code', 'exclusion_scope_code', 'batch_id'
        ]) }} as events_hash
    from events
    group by ticket_id, ticket_key
),

final as (
    select
        hashed.ticket_id,
        hashed.ticket_key,
        {{ md5_of([
            'hashed.ticket_key', 'hashed.events_hash', 'tickets.opened_at', 'tickets.has_history_contradiction', 'tickets.batch_id'
        ]) }} as history_hash
    from hashed
    inner join tickets on hashed.ticket_key = tickets.ticket_key
)

select * from final
