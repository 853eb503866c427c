{#- The dictionaries are named in place and not as CTEs, so that DuckDB knows their keys are dense and each join is a
    look into an array (perfect hash join). That also takes no condition between columns of both sides in the join
    (hence `<> 0`). The joins are made in the order written, tickets on the left and what is looked up on the right:
    DuckDB guesses too low how many clocks remain and would build its tables of them. The threshold keeps it from
    joining the breaches in a loop. -#}
{{ config(
    materialized='by_ticket',
    pre_hook=["set asof_loop_join_threshold = 0", "set disabled_optimizers = 'join_order,build_side_probe_side'"],
    post_hook=["reset asof_loop_join_threshold", "reset disabled_optimizers"]
) }}
{%- set slots = range(1, slt_slot_count() | int + 1) -%}
{%- set columns = [
    'ticket_id', 'slot_number', 'scope_id', 'target_situation_id', 'end_situation_id', 'start_s', 'end_s', 'is_ended',
    'start_open', 'start_active', 'end_open', 'end_active', 'target_seconds'
] -%}
{%- set reached_slots = reached_clock_slots() -%}
with contradictions as (
    select ticket_ids.ticket_id
    from {{ ref('int_ticket_id') }} as ticket_ids
    inner join {{ ref('int_ticket') }} as tickets on ticket_ids.ticket_key = tickets.ticket_key
    where tickets.has_history_contradiction and {{ for_tickets('ticket_ids.ticket_id') }}
),

scopes as (
    select max(scope_id) + 1 as scope_count from {{ ref('int_clock_scope') }}
),

run_context as (
    select
        {{ clock_seconds('run_context.as_of_at') }} as as_of_s,
        scopes.scope_count
    from {{ ref('int_run_context') }} as run_context
    cross join scopes
),

reach as (
    {{ clock_reach() }}
),

pieces as (
    select * from {{ ref('int_clock_piece') }}
),

-- in order of tickets, so of time: the readings below then look at places of the clock that lie together
starts as (
    select
        ticket_id,
        event_s as start_s,
        situation_after_id as start_situation_id
    from {{ ref('int_ticket_step') }}
    where situation_before_id = 0 and {{ for_tickets('ticket_id') }}
),

-- Of the steps that enter or leave an end only the first (first_stop) or the last counts. Instant and situation are
-- one number, and its sign makes the first one the greatest, so that one max a target finds it.
turns as (
    select
        steps.ticket_id,
    {% for slot in slots -%}
    max(
        case
            when slots_after.is_first_stop_{{ slot }} = 1
                then -{{ mark('steps.event_s', 'steps.situation_after_id') }}
            else {{ mark('steps.event_s', 'steps.situation_after_id') }}
        end
    ) filter (
        where slots_after.is_ended_{{ slot }} - slots_before.is_ended_{{ slot }} <> 0
    ) as turn_mark_{{ slot }}{{ ',' if not loop.last }}
    {% endfor -%}
    from {{ ref('int_ticket_step') }} as steps
    inner join {{ ref('int_slt_situation_slot') }} as slots_after
        on steps.situation_after_id = slots_after.situation_id
    inner join {{ ref('int_slt_situation_slot') }} as slots_before
        on steps.situation_before_id = slots_before.situation_id
    where slots_after.ended_code - slots_before.ended_code <> 0 and {{ for_tickets('steps.ticket_id') }}
    group by steps.ticket_id
),

-- an end that was left again for good is none
ends as (
    select
        starts.ticket_id,
        starts.start_s,
        starts.start_situation_id,
        {% for slot in slots -%}
        case
            when end_slots_{{ slot }}.is_ended_{{ slot }} = 1 then abs(turns.turn_mark_{{ slot }})
        end as end_mark_{{ slot }},
        {% endfor -%}
        start_slots.telescoped_code
    from starts
    left join turns on starts.ticket_id = turns.ticket_id
    left join contradictions on starts.ticket_id = contradictions.ticket_id
    inner join {{ ref('int_slt_situation_slot') }} as start_slots
        on starts.start_situation_id = start_slots.situation_id
    {% for slot in slots -%}
    inner join {{ ref('int_slt_situation_slot') }} as end_slots_{{ slot }}
        on
            coalesce({{ mark_situation('abs(turns.turn_mark_' ~ slot ~ ')') }}, 0)
            = end_slots_{{ slot }}.situation_id
    {% endfor -%}
    where start_slots.telescoped_code <> 0 and contradictions.ticket_id is null
),

-- only clocks that still run need the situation the ticket is in
running as (
    select ticket_id from ends
    where
    {% for slot in slots -%}
        {{ 'or ' if not loop.first }}end_mark_{{ slot }} is null
    {% endfor %}
),

last_situations as (
    select
        steps.ticket_id,
        {{ mark_situation('max(' ~ mark('steps.event_s', 'steps.situation_after_id') ~ ')') }} as situation_id
    from {{ ref('int_ticket_step') }} as steps
    inner join running on steps.ticket_id = running.ticket_id
    where {{ for_tickets('steps.ticket_id') }}
    group by steps.ticket_id
),

spans as (
    {% for slot in slots -%}
    select
        ends.ticket_id,
        {{ slot }} as slot_number,
        ends.start_s,
        coalesce({{ mark_second('ends.end_mark_' ~ slot) }}, run_context.as_of_s) as end_s,
        ends.end_mark_{{ slot }} is not null as is_ended,
        coalesce({{ mark_situation('ends.end_mark_' ~ slot) }}, last_situations.situation_id) as end_situation_id,
        case
            when start_slots.is_as_of_start_{{ slot }} = 1 then ends.start_situation_id
            else coalesce({{ mark_situation('ends.end_mark_' ~ slot) }}, last_situations.situation_id)
        end as target_situation_id,
        run_context.scope_count
    from ends
    inner join {{ ref('int_slt_situation_slot') }} as start_slots
        on ends.start_situation_id = start_slots.situation_id
    left join last_situations on ends.ticket_id = last_situations.ticket_id
    cross join run_context
    where start_slots.is_telescoped_{{ slot }} = 1
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

-- a target that depends on the hour of the start is left to the intervals
with_terms as (
    select
        spans.*,
        terms.scope_id,
        terms.target_seconds
    from spans
    inner join {{ ref('int_slt_slot_terms') }} as terms
        on spans.target_situation_id * {{ slt_slot_count() }} + spans.slot_number = terms.slot_terms_key
    where case when spans.start_s >= terms.from_s and spans.start_s < terms.to_s then 1 else 0 end = 1
),

-- a pause begins (1) or ends (-1); the first event of a ticket that opens paused begins one
hold_steps as (
    select
        steps.ticket_id,
        steps.event_s,
    {% for slot in slots -%}
    slots_after.is_paused_{{ slot }} - slots_before.is_paused_{{ slot }}
        as hold_step_{{ slot }}{{ ',' if not loop.last }}
    {% endfor -%}
    from {{ ref('int_ticket_step') }} as steps
    inner join {{ ref('int_slt_situation_slot') }} as slots_after
        on steps.situation_after_id = slots_after.situation_id
    inner join {{ ref('int_slt_situation_slot') }} as slots_before
        on steps.situation_before_id = slots_before.situation_id
    where slots_after.paused_code - slots_before.paused_code <> 0 and {{ for_tickets('steps.ticket_id') }}
),

holds as (
    {% for slot in slots -%}
    select
        ticket_id,
        {{ slot }} as slot_number,
        event_s,
        hold_step_{{ slot }} as hold_step
    from hold_steps
    where hold_step_{{ slot }} <> 0
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

placed_holds as (
    select
        with_terms.ticket_id,
        with_terms.slot_number,
        with_terms.scope_id,
        with_terms.scope_count,
        holds.event_s,
        holds.hold_step
    from with_terms
    inner join holds
        on
            with_terms.ticket_id = holds.ticket_id
            and with_terms.slot_number = holds.slot_number
            and with_terms.end_s > holds.event_s
),

held_points as (
    select
        placed_holds.ticket_id,
        placed_holds.slot_number,
        placed_holds.event_s,
        placed_holds.hold_step,
        {{ clock_slot_reading('clock_slots', 'placed_holds.event_s', 'open') }} as open_reading,
        {{ clock_slot_reading('clock_slots', 'placed_holds.event_s', 'active') }} as active_reading
    from placed_holds
    inner join {{ reached_slots }} as clock_slots
        on
            {{ clock_slot_key('placed_holds.event_s', 'placed_holds.scope_id', 'placed_holds.scope_count') }}
            = clock_slots.slot_key
),

held as (
    select
        ticket_id,
        slot_number,
        cast(sum(hold_step) as integer) as is_held_at_end,
        cast(sum(hold_step * event_s) as integer) as held_s,
        cast(sum(hold_step * open_reading) as integer) as held_open,
        cast(sum(hold_step * active_reading) as integer) as held_active
    from held_points
    group by ticket_id, slot_number
),

-- elapsed between two instants is the difference of two readings, and a pause takes away its own
readings as (
    select
        with_terms.*,
        {{ clock_slot_reading('start_slots', 'with_terms.start_s', 'open') }} as start_open,
        {{ clock_slot_reading('start_slots', 'with_terms.start_s', 'active') }} as start_active,
        {{ clock_slot_reading('end_slots', 'with_terms.end_s', 'open') }} as end_open,
        {{ clock_slot_reading('end_slots', 'with_terms.end_s', 'active') }} as end_active
    from with_terms
    inner join {{ reached_slots }} as start_slots
        on
            {{ clock_slot_key('with_terms.start_s', 'with_terms.scope_id', 'with_terms.scope_count') }}
            = start_slots.slot_key
    inner join {{ reached_slots }} as end_slots
        on
            {{ clock_slot_key('with_terms.end_s', 'with_terms.scope_id', 'with_terms.scope_count') }}
            = end_slots.slot_key
),

totals as (
    select
        {% for column in columns -%}
        readings.{{ column }},
        {% endfor -%}
        held.held_s is not null as has_hold,
        coalesce(held.is_held_at_end * readings.end_s - held.held_s, 0) as paused_seconds,
        readings.end_open - readings.start_open
        - coalesce(held.is_held_at_end * readings.end_open - held.held_open, 0) as business_seconds,
        readings.end_active - readings.start_active
        - coalesce(held.is_held_at_end * readings.end_active - held.held_active, 0) as net_seconds
    from readings
    left join held
        on
            readings.ticket_id = held.ticket_id
            and readings.slot_number = held.slot_number
),

-- Breaches: without a pause the reading at the breach is the one at the start and the target. With pauses it is
-- looked for in the stretches between them.
beyond as (
    select * from totals
    where business_seconds > target_seconds
),

points as (
    select
        ticket_id,
        slot_number,
        start_s as point_s,
        0 as hold_step,
        start_open as open_reading,
        start_active as active_reading,
        scope_id,
        target_seconds + start_open as target_open,
        target_seconds + start_active as target_active,
        end_open,
        end_active
    from beyond
    where has_hold
    union all
    select
        held_points.ticket_id,
        held_points.slot_number,
        held_points.event_s as point_s,
        held_points.hold_step,
        held_points.open_reading,
        held_points.active_reading,
        beyond.scope_id,
        beyond.target_seconds + beyond.start_open as target_open,
        beyond.target_seconds + beyond.start_active as target_active,
        beyond.end_open,
        beyond.end_active
    from held_points
    inner join beyond
        on
            held_points.ticket_id = beyond.ticket_id
            and held_points.slot_number = beyond.slot_number
),

-- a ticket that opens paused has two points at its start; the pause is the later of them
stretches as (
    select
        ticket_id,
        slot_number,
        scope_id,
        open_reading,
        active_reading,
        sum(hold_step) over stretch_order as is_held,
        target_open - sum(hold_step * open_reading) over stretch_order as owed_open,
        target_active - sum(hold_step * active_reading) over stretch_order as owed_active,
        lead(open_reading, 1, end_open) over stretch_lead as next_open_reading,
        lead(active_reading, 1, end_active) over stretch_lead as next_active_reading
    from points
    window
        stretch_order as (
            partition by ticket_id, slot_number
            order by point_s, abs(hold_step)
            rows between unbounded preceding and current row
        ),
        stretch_lead as (partition by ticket_id, slot_number order by point_s, abs(hold_step))
),

crossings as (
    select
        ticket_id,
        slot_number,
        scope_id,
        target_seconds + start_open as owed_open,
        case when net_seconds > target_seconds then target_seconds + start_active end as owed_active
    from beyond
    where not has_hold
    union all
    select
        ticket_id,
        slot_number,
        scope_id,
        cast(max(
            case when owed_open >= open_reading and owed_open < next_open_reading then owed_open end
        ) as integer) as owed_open,
        cast(max(
            case when owed_active >= active_reading and owed_active < next_active_reading then owed_active end
        ) as integer) as owed_active
    from stretches
    where is_held = 0
    group by ticket_id, slot_number, scope_id
),

-- inverse of the clock: the last piece that takes the reading further and begins at or before it
breaches as (
    select
        crossings.ticket_id,
        crossings.slot_number,
        cast(
            open_pieces.from_s + crossings.owed_open - open_pieces.open_before_seconds - {{ clock_origin() }}
            as integer
        ) as original_breach_s,
        cast(
            active_pieces.from_s + crossings.owed_active - active_pieces.active_before_seconds - {{ clock_origin() }}
            as integer
        ) as breach_s
    from crossings
    {{ asof_join(
        'pieces', 'open_pieces',
        'crossings.scope_id', 'scope_id', 'crossings.owed_open', 'open_before_seconds'
    ) }}
    {{ asof_join(
        '(select * from pieces where active_seconds > 0)', 'active_pieces',
        'crossings.scope_id', 'scope_id', 'crossings.owed_active', 'active_before_seconds'
    ) }}
),

final as (
    select
        totals.ticket_id,
        cast(totals.slot_number as integer) as slot_number,
        totals.scope_id,
        totals.target_situation_id,
        totals.end_situation_id,
        totals.start_s,
        totals.end_s,
        totals.is_ended,
        totals.end_s - totals.start_s as wall_seconds,
        totals.paused_seconds,
        totals.end_s - totals.start_s - totals.paused_seconds - totals.business_seconds as outside_calendar_seconds,
        totals.business_seconds - totals.net_seconds as excluded_seconds,
        totals.net_seconds,
        breaches.original_breach_s,
        breaches.breach_s
    from totals
    left join breaches
        on
            totals.ticket_id = breaches.ticket_id
            and totals.slot_number = breaches.slot_number
)

select * from final
