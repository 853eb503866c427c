{{ config(materialized='by_ticket') }}
-- depends_on: {{ ref('int_slt_recompute') }}
with tickets as (
    select
        ticket_key,
        source_system
    from {{ ref('int_ticket') }}
),

ticket_ids as (
    select * from {{ ref('int_ticket_id') }}
    where {{ for_tickets('ticket_id') }}
),

events as (
    select * from {{ ref('int_ticket_event') }}
    where {{ for_tickets('ticket_id') }}
),

situations as (
    select * from {{ ref('int_ticket_situation') }}
),

numbered as (
    select
        ticket_ids.ticket_id,
        tickets.source_system
    from ticket_ids
    inner join tickets on ticket_ids.ticket_key = tickets.ticket_key
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
    inner join numbered on events.ticket_id = numbered.ticket_id
    inner join situations
        on
            events.ticket_state = situations.ticket_state
            and events.exclusion_scope_code = situations.exclusion_scope_code
            and events.priority is not distinct from situations.priority
            and events.service_code is not distinct from situations.service_code
            and events.team_code is not distinct from situations.team_code
            and events.contract_code is not distinct from situations.contract_code
    -- not as a condition of the join: tickets and situations have nothing else in common and would multiply
    where case when numbered.source_system = situations.source_system then 1 else 0 end = 1
),

neighbours as (
    select
        *,
        lag(situation_id) over history as earlier_situation_id,
        lag(event_at) over history as earlier_event_at,
        lead(event_at) over history as later_event_at
    from placed
    window history as (partition by ticket_id order by event_at, event_sequence)
),

-- of several events at one instant the last one holds, and the first one knows what was before: they are few
alone as (
    select * from neighbours
    where
        (earlier_event_at is null or earlier_event_at <> event_at)
        and (later_event_at is null or later_event_at <> event_at)
),

crowded as (
    select * from neighbours
    where earlier_event_at = event_at or later_event_at = event_at
),

settled as (
    select
        ticket_id,
        event_at,
        later_event_at,
        earlier_situation_id,
        situation_id,
        is_state_carried,
        is_inferred,
        batch_id
    from alone
    union all
    select
        ticket_id,
        event_at,
        later_event_at,
        first_value(earlier_situation_id) over (partition by ticket_id, event_at order by event_sequence)
            as earlier_situation_id,
        situation_id,
        is_state_carried,
        is_inferred,
        batch_id
    from crowded
    qualify row_number() over (partition by ticket_id, event_at order by event_sequence desc) = 1
),

final as (
    select
        ticket_id,
        event_at,
        {{ clock_seconds('event_at') }} as event_s,
        {{ clock_seconds('later_event_at') }} as next_event_s,
        coalesce(earlier_situation_id, 0) as situation_before_id,
        situation_id as situation_after_id,
        is_state_carried,
        is_inferred,
        batch_id
    from settled
)

select * from final
order by ticket_id, event_at
