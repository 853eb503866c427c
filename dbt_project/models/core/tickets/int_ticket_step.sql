{{ config(materialized='by_ticket') }}
-- depends_on: {{ ref('int_slt_recompute') }}
with tickets as (
    select
        ticket_id,
        source_system
    from {{ ref('int_ticket') }}
    where {{ for_tickets('ticket_id') }}
),

events as (
    select * from {{ ref('int_ticket_event') }}
    where {{ for_tickets('ticket_id') }}
),

situations as (
    select * from {{ ref('int_ticket_situation') }}
),

placed as (
    select
        events.ticket_id,
        events.event_sequence,
        events.event_at,
        situations.situation_id,
        events.is_state_carried,
        events.is_inferred,
        events.batch_id
    from events
    inner join tickets on events.ticket_id = tickets.ticket_id
    inner join situations
        on
            events.ticket_state = situations.ticket_state
            and events.exclusion_scope_code = situations.exclusion_scope_code
            and events.priority is not distinct from situations.priority
            and events.service_code is not distinct from situations.service_code
            and events.team_code is not distinct from situations.team_code
            and events.contract_code is not distinct from situations.contract_code
    -- not as a condition of the join: tickets and situations have nothing else in common and would multiply
    where case when tickets.source_system = situations.source_system then 1 else 0 end = 1
),

-- one order of all tickets, in which a ticket's neighbours stand beside it, costs less than one a ticket; the rows
-- leave it in that order, so of tickets and time
neighbours as (
    select
        ticket_id,
        event_at,
        situation_id,
        is_state_carried,
        is_inferred,
        batch_id,
        case when lag(ticket_id) over history = ticket_id then lag(event_at) over history end as earlier_event_at,
        case
            when lag(ticket_id) over history = ticket_id then lag(situation_id) over history else 0
        end as earlier_situation_id,
        case when lead(ticket_id) over history = ticket_id then lead(event_at) over history end as later_event_at
    from placed
    window history as (order by ticket_id, event_at, event_sequence)
),

-- of several events at one instant the last one holds, and the first one knows what was before: they are few
crowds as (
    select
        ticket_id,
        event_at,
        earlier_situation_id
    from neighbours
    where later_event_at = event_at and (earlier_event_at is null or earlier_event_at <> event_at)
),

final as (
    select
        neighbours.ticket_id,
        neighbours.event_at,
        {{ clock_seconds('neighbours.event_at') }} as event_s,
        {{ clock_seconds('neighbours.later_event_at') }} as next_event_s,
        coalesce(crowds.earlier_situation_id, neighbours.earlier_situation_id) as situation_before_id,
        neighbours.situation_id as situation_after_id,
        neighbours.is_state_carried,
        neighbours.is_inferred,
        neighbours.batch_id
    from neighbours
    left join crowds
        on
            neighbours.ticket_id = crowds.ticket_id
            and neighbours.event_at = crowds.event_at
    where neighbours.later_event_at is null or neighbours.later_event_at <> neighbours.event_at
)

select * from final
