-- Each time a ticket that had been resolved or closed was taken up again: its closure had been premature.
with ticket_event as (
    select * from {{ ref('int_ticket_event') }}
),

followed as (
    select
        ticket_key,
        event_at,
        ticket_state,
        lag(ticket_state) over (partition by ticket_key order by event_sequence) as earlier_state
    from ticket_event
),

final as (
    select
        ticket_key,
        event_at as reopened_at
    from followed
    where
        earlier_state in ('resolved', 'closed')
        and ticket_state not in ('resolved', 'closed', 'canceled', 'unknown')
)

select * from final
