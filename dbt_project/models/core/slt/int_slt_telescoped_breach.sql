{#- Named in place as in int_slt_telescoped. The threshold keeps DuckDB from joining the breaches in a loop. -#}
{{ config(
    materialized='by_ticket',
    pre_hook=["set asof_loop_join_threshold = 0", "set disabled_optimizers = 'join_order,build_side_probe_side'"],
    post_hook=["reset asof_loop_join_threshold", "reset disabled_optimizers"]
) }}
{%- set slots = range(1, slt_slot_count() | int + 1) -%}
{%- set reached_slots = reached_clock_slots() -%}
with {{ clock_context() }},

beyond as (
    select
        {{ clock_key('clocks.ticket_id', 'clocks.slot_number') }} as clock_key,
        clocks.ticket_id,
        clocks.slot_number,
        spans.start_s,
        case clocks.slot_number
            {%- for slot in slots %}
            when {{ slot }} then coalesce(spans.end_s_{{ slot }}, run_context.as_of_s)
            {%- endfor %}
        end as end_s,
        clocks.paused_seconds > 0 as has_hold,
        clocks.business_seconds - clocks.excluded_seconds > terms.target_seconds as is_beyond_adjusted,
        terms.target_seconds,
        terms.scope_id,
        run_context.scope_count
    from {{ ref('int_slt_telescoped') }} as clocks
    inner join {{ ref('int_slt_slot_terms') }} as terms on clocks.slot_terms_id = terms.slot_terms_id
    inner join {{ ref('int_slt_span') }} as spans on clocks.ticket_id = spans.ticket_id
    cross join run_context
    where
        clocks.business_seconds - terms.target_seconds > 0
        and {{ for_tickets('clocks.ticket_id') }}
        and {{ for_tickets('spans.ticket_id') }}
),

-- what the readings of the clock will be when the target is used up, were there no pause
starts as (
    select
        beyond.clock_key,
        beyond.ticket_id,
        beyond.slot_number,
        beyond.start_s,
        beyond.end_s,
        beyond.has_hold,
        beyond.is_beyond_adjusted,
        beyond.scope_id,
        beyond.scope_count,
        beyond.target_seconds,
        {{ clock_slot_reading('clock_slots', 'beyond.start_s', 'open') }} as start_open,
        {{ clock_slot_reading('clock_slots', 'beyond.start_s', 'active') }} as start_active
    from beyond
    inner join {{ reached_slots }} as clock_slots
        on {{ clock_slot_key('beyond.start_s', 'beyond.scope_id', 'beyond.scope_count') }} = clock_slots.slot_key
),

with_hold as (
    select * from starts
    where has_hold
),

-- with pauses the breach lies in one of the stretches before, between and after them; the first follows no pause
pauses as (
    select
        clock_key,
        start_s as from_s,
        start_s as to_s,
        scope_id,
        scope_count
    from with_hold
    union all
    select
        with_hold.clock_key,
        steps.event_s as from_s,
        least(coalesce(steps.next_event_s, with_hold.end_s), with_hold.end_s) as to_s,
        with_hold.scope_id,
        with_hold.scope_count
    from {{ ref('int_ticket_step') }} as steps
    inner join {{ ref('int_slt_situation_slot') }} as situation_slots
        on steps.situation_after_id = situation_slots.situation_id
    inner join with_hold on steps.ticket_id = with_hold.ticket_id
    where
        situation_slots.paused_code <> 0
        and case with_hold.slot_number
            {%- for slot in slots %}
            when {{ slot }} then situation_slots.is_paused_{{ slot }}
            {%- endfor %}
        end = 1
        and with_hold.end_s - steps.event_s > 0
        and {{ for_tickets('steps.ticket_id') }}
),

read_pauses as (
    select
        pauses.clock_key,
        pauses.from_s,
        pauses.to_s,
        {{ clock_slot_reading('from_slots', 'pauses.from_s', 'open') }} as from_open,
        {{ clock_slot_reading('from_slots', 'pauses.from_s', 'active') }} as from_active,
        {{ clock_slot_reading('to_slots', 'pauses.to_s', 'open') }} as to_open,
        {{ clock_slot_reading('to_slots', 'pauses.to_s', 'active') }} as to_active
    from pauses
    inner join {{ reached_slots }} as from_slots
        on {{ clock_slot_key('pauses.from_s', 'pauses.scope_id', 'pauses.scope_count') }} = from_slots.slot_key
    inner join {{ reached_slots }} as to_slots
        on {{ clock_slot_key('pauses.to_s', 'pauses.scope_id', 'pauses.scope_count') }} = to_slots.slot_key
),

stretches as (
    select
        clock_key,
        to_open,
        to_active,
        sum(to_open - from_open) over paused_so_far as paused_open,
        sum(to_active - from_active) over paused_so_far as paused_active,
        lead(from_open) over in_order as next_open,
        lead(from_active) over in_order as next_active
    from read_pauses
    window
        paused_so_far as (
            partition by clock_key order by from_s, to_s rows between unbounded preceding and current row
        ),
        in_order as (partition by clock_key order by from_s, to_s)
),

owed as (
    select
        stretches.clock_key,
        stretches.to_open,
        stretches.to_active,
        stretches.next_open,
        stretches.next_active,
        with_hold.target_seconds + with_hold.start_open + stretches.paused_open as owed_open,
        case
            when with_hold.is_beyond_adjusted
                then with_hold.target_seconds + with_hold.start_active + stretches.paused_active
        end as owed_active
    from stretches
    inner join with_hold on stretches.clock_key = with_hold.clock_key
),

found as (
    select
        clock_key,
        cast(max(
            case when owed_open >= to_open and (next_open is null or owed_open < next_open) then owed_open end
        ) as integer) as owed_open,
        cast(max(
            case
                when owed_active >= to_active and (next_active is null or owed_active < next_active) then owed_active
            end
        ) as integer) as owed_active
    from owed
    group by clock_key
),

crossings as (
    select
        starts.ticket_id,
        starts.slot_number,
        starts.scope_id,
        case
            when starts.has_hold then found.owed_open
            else starts.target_seconds + starts.start_open
        end as owed_open,
        case
            when starts.has_hold then found.owed_active
            when starts.is_beyond_adjusted then starts.target_seconds + starts.start_active
        end as owed_active
    from starts
    left join found on starts.clock_key = found.clock_key
),

-- a breach comes after its clock's start and before its end, and a piece is no longer than a day
breach_reach as (
    select
        min(start_s) - 86400 + {{ clock_origin() }} as from_s,
        max(end_s) + {{ clock_origin() }} as to_s
    from starts
),

pieces as (
    select * from {{ ref('int_clock_piece') }}
    where
        from_s >= (select breach_reach.from_s from breach_reach)
        and from_s <= (select breach_reach.to_s from breach_reach)
),

-- inverse of the clock: the last piece that takes the reading further and begins at or before it
final as (
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
)

select * from final
