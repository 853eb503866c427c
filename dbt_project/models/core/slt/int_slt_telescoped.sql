{#- The dictionaries are named in place and not as CTEs, so that DuckDB knows their keys are dense and each join is a
    look into an array (perfect hash join); so is the span of a ticket. That also takes no condition between columns of
    both sides in the join (hence `- ... <> 0`). The joins are made in the order written, tickets on the left and what
    is looked up on the right: DuckDB guesses too low how many clocks remain and would build its tables of them. -#}
{{ config(
    materialized='by_ticket',
    pre_hook="set disabled_optimizers = 'join_order,build_side_probe_side'",
    post_hook="reset disabled_optimizers"
) }}
{%- set slots = range(1, slt_slot_count() | int + 1) -%}
{%- set reached_slots = reached_clock_slots() -%}
with {{ clock_context() }},

clocks as (
    {% for slot in slots -%}
    select
        spans.ticket_id,
        {{ slot }} as slot_number,
        spans.start_s,
        coalesce(spans.end_s_{{ slot }}, run_context.as_of_s) as end_s,
        case
            when start_slots.is_as_of_start_{{ slot }} = 1 then spans.start_situation_id
            else spans.end_situation_id_{{ slot }}
        end as target_situation_id,
        run_context.scope_count
    from {{ ref('int_slt_span') }} as spans
    inner join {{ ref('int_slt_situation_slot') }} as start_slots
        on spans.start_situation_id = start_slots.situation_id
    cross join run_context
    where start_slots.is_telescoped_{{ slot }} = 1 and {{ for_tickets('spans.ticket_id') }}
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

-- a target that depends on the hour of the start is left to the intervals
with_terms as (
    select
        clocks.ticket_id,
        clocks.slot_number,
        clocks.start_s,
        clocks.end_s,
        terms.slot_terms_id,
        {{ clock_slot_key('clocks.start_s', 'terms.scope_id', 'clocks.scope_count') }} as start_slot_key,
        {{ clock_slot_key('clocks.end_s', 'terms.scope_id', 'clocks.scope_count') }} as end_slot_key
    from clocks
    inner join {{ ref('int_slt_slot_terms') }} as terms
        on clocks.target_situation_id * {{ slt_slot_count() }} + clocks.slot_number = terms.slot_terms_key
    where case when clocks.start_s >= terms.from_s and clocks.start_s < terms.to_s then 1 else 0 end = 1
),

-- a step in which a clock of the ticket is paused holds until the next one
pauses as (
    select
        steps.ticket_id,
        steps.event_s,
        coalesce(steps.next_event_s, run_context.as_of_s) as next_event_s,
        run_context.as_of_s,
        run_context.scope_count,
        spans.start_s,
    {% for slot in slots -%}
    situation_slots.is_paused_{{ slot }} * start_slots.is_telescoped_{{ slot }} as is_paused_{{ slot }},
    spans.end_s_{{ slot }},
    case
        when start_slots.is_as_of_start_{{ slot }} = 1 then spans.start_situation_id
        else spans.end_situation_id_{{ slot }}
    end as target_situation_id_{{ slot }}{{ ',' if not loop.last }}
    {% endfor -%}
    from {{ ref('int_ticket_step') }} as steps
    inner join {{ ref('int_slt_situation_slot') }} as situation_slots
        on steps.situation_after_id = situation_slots.situation_id
    inner join {{ ref('int_slt_span') }} as spans on steps.ticket_id = spans.ticket_id
    inner join {{ ref('int_slt_situation_slot') }} as start_slots
        on spans.start_situation_id = start_slots.situation_id
    cross join run_context
    where
        situation_slots.paused_code <> 0
        and {{ for_tickets('steps.ticket_id') }}
        and {{ for_tickets('spans.ticket_id') }}
),

-- of each clock, until it ends
slot_pauses as (
    {% for slot in slots -%}
    select
        {{ clock_key('ticket_id', slot) }} as clock_key,
        {{ slot }} as slot_number,
        start_s,
        event_s as from_s,
        least(next_event_s, coalesce(end_s_{{ slot }}, as_of_s)) as to_s,
        target_situation_id_{{ slot }} as target_situation_id,
        scope_count
    from pauses
    where is_paused_{{ slot }} = 1 and (end_s_{{ slot }} is null or event_s < end_s_{{ slot }})
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

scoped_pauses as (
    select
        slot_pauses.clock_key,
        slot_pauses.from_s,
        slot_pauses.to_s,
        {{ clock_slot_key('slot_pauses.from_s', 'terms.scope_id', 'slot_pauses.scope_count') }} as from_slot_key,
        {{ clock_slot_key('slot_pauses.to_s', 'terms.scope_id', 'slot_pauses.scope_count') }} as to_slot_key
    from slot_pauses
    inner join {{ ref('int_slt_slot_terms') }} as terms
        on
            slot_pauses.target_situation_id * {{ slt_slot_count() }} + slot_pauses.slot_number
            = terms.slot_terms_key
    where case when slot_pauses.start_s >= terms.from_s and slot_pauses.start_s < terms.to_s then 1 else 0 end = 1
),

held as (
    select
        scoped_pauses.clock_key,
        cast(sum(scoped_pauses.to_s - scoped_pauses.from_s) as integer) as paused_seconds,
        cast(sum(
            {{ clock_slot_reading('to_slots', 'scoped_pauses.to_s', 'open') }}
            - {{ clock_slot_reading('from_slots', 'scoped_pauses.from_s', 'open') }}
        ) as integer) as open_seconds,
        cast(sum(
            {{ clock_slot_reading('to_slots', 'scoped_pauses.to_s', 'excluded') }}
            - {{ clock_slot_reading('from_slots', 'scoped_pauses.from_s', 'excluded') }}
        ) as integer) as excluded_seconds
    from scoped_pauses
    inner join {{ reached_slots }} as from_slots on scoped_pauses.from_slot_key = from_slots.slot_key
    inner join {{ reached_slots }} as to_slots on scoped_pauses.to_slot_key = to_slots.slot_key
    group by scoped_pauses.clock_key
),

-- elapsed between two instants is the difference of two readings, and a pause takes away its own
readings as (
    select
        with_terms.ticket_id,
        with_terms.slot_number,
        with_terms.slot_terms_id,
        {{ clock_slot_reading('start_slots', 'with_terms.start_s', 'open') }} as start_open,
        {{ clock_slot_reading('start_slots', 'with_terms.start_s', 'excluded') }} as start_excluded,
        {{ clock_slot_reading('end_slots', 'with_terms.end_s', 'open') }} as end_open,
        {{ clock_slot_reading('end_slots', 'with_terms.end_s', 'excluded') }} as end_excluded
    from with_terms
    inner join {{ reached_slots }} as start_slots on with_terms.start_slot_key = start_slots.slot_key
    inner join {{ reached_slots }} as end_slots on with_terms.end_slot_key = end_slots.slot_key
),

final as (
    select
        readings.ticket_id,
        cast(readings.slot_number as integer) as slot_number,
        readings.slot_terms_id,
        coalesce(held.paused_seconds, 0) as paused_seconds,
        readings.end_open - readings.start_open - coalesce(held.open_seconds, 0) as business_seconds,
        readings.end_excluded - readings.start_excluded - coalesce(held.excluded_seconds, 0) as excluded_seconds
    from readings
    left join held on {{ clock_key('readings.ticket_id', 'readings.slot_number') }} = held.clock_key
)

select * from final
