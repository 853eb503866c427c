{#- The dictionaries are named in place and not as CTEs, so that each join with them is a look into an array (as in
    int_slt_telescoped). -#}
{{ config(
    materialized='by_ticket',
    pre_hook="set disabled_optimizers = 'join_order,build_side_probe_side'",
    post_hook="reset disabled_optimizers"
) }}
{%- set slots = range(1, slt_slot_count() | int + 1) -%}
{%- set reached_slots = reached_clock_slots() -%}
{%- set columns = [
    'ticket_id', 'slot_number', 'scope_id', 'situation_id', 'from_s', 'to_s', 'is_reopened_stretch', 'is_state_carried',
    'is_inferred', 'batch_id'
] -%}
with {{ clock_context() }},

-- a step holds until the next one, or until the clock ends
stretches as (
    {% for slot in slots -%}
    select
        steps.ticket_id,
        {{ slot }} as slot_number,
        terms.scope_id,
        steps.situation_after_id as situation_id,
        steps.event_s as from_s,
        least(
            coalesce(steps.next_event_s, run_context.as_of_s), coalesce(spans.end_s_{{ slot }}, run_context.as_of_s)
        ) as to_s,
        1 - situation_slots.is_paused_{{ slot }} as is_running,
        situation_slots.is_ended_{{ slot }} = 1 as is_reopened_stretch,
        steps.is_state_carried,
        steps.is_inferred,
        steps.batch_id,
        run_context.scope_count
    from {{ ref('int_ticket_step') }} as steps
    inner join {{ ref('int_slt_span') }} as spans on steps.ticket_id = spans.ticket_id
    inner join {{ ref('int_slt_telescoped') }} as clocks on steps.ticket_id = clocks.ticket_id
    inner join {{ ref('int_slt_slot_terms') }} as terms on clocks.slot_terms_id = terms.slot_terms_id
    inner join {{ ref('int_slt_situation_slot') }} as situation_slots
        on steps.situation_after_id = situation_slots.situation_id
    cross join run_context
    where
        clocks.slot_number = {{ slot }}
        and case
            when steps.event_s < coalesce(spans.end_s_{{ slot }}, run_context.as_of_s) then 1 else 0
        end = 1
        and {{ for_tickets('clocks.ticket_id') }}
        and {{ for_tickets('spans.ticket_id') }}
        and {{ for_tickets('steps.ticket_id') }}
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

read_off as (
    select
        {% for column in columns -%}
        stretches.{{ column }},
        {% endfor -%}
        stretches.is_running,
        stretches.is_running * (
            {{ clock_slot_reading('to_slots', 'stretches.to_s', 'open') }}
            - {{ clock_slot_reading('from_slots', 'stretches.from_s', 'open') }}
        ) as open_seconds,
        stretches.is_running * (
            {{ clock_slot_reading('to_slots', 'stretches.to_s', 'excluded') }}
            - {{ clock_slot_reading('from_slots', 'stretches.from_s', 'excluded') }}
        ) as excluded_seconds
    from stretches
    inner join {{ reached_slots }} as from_slots
        on
            {{ clock_slot_key('stretches.from_s', 'stretches.scope_id', 'stretches.scope_count') }}
            = from_slots.slot_key
    inner join {{ reached_slots }} as to_slots
        on {{ clock_slot_key('stretches.to_s', 'stretches.scope_id', 'stretches.scope_count') }} = to_slots.slot_key
),

final as (
    select
        {% for column in columns -%}
        {{ column }},
        {% endfor -%}
        (1 - is_running) * (to_s - from_s) as paused_seconds,
        is_running * (to_s - from_s) - open_seconds as outside_calendar_seconds,
        excluded_seconds,
        open_seconds - excluded_seconds as net_seconds
    from read_off
)

select * from final
