{#- The clock's fast lookup table has a row per slot of six hours and scope, found by one dense INTEGER: an equality
    join on it is a look into an array. So many open pieces, and excluded ones within them, fit into a slot; a test
    fails when one needs more (a piece that does not fit would be time lost). -#}
{% macro clock_slot_seconds() -%} 21600 {%- endmacro %}
{% macro clock_slot_pieces(kind) -%} {{ {'open': 3, 'excluded': 4}[kind] }} {%- endmacro %}

{#- Key of int_clock_slot for a second of the clock and a scope. -#}
{% macro clock_slot_key(clock_s, scope_id, scope_count) -%}
    ({{ int_div(clock_s, clock_slot_seconds()) }} * {{ scope_count }} + {{ scope_id }})
{%- endmacro %}

{#- Reading of a scope's clock at a second, from the row of int_clock_slot: seconds open, excluded (of the open ones) or
    active (open and not excluded) since the horizon began. A piece adds the second cut to its bounds; the base has the
    bounds' beginnings taken off. Unused pieces are [0, 0), never null. Most slots have one open piece and no excluded
    one, so the others are looked at only where there are some. -#}
{% macro clock_slot_reading(slot_row, clock_s, kind) -%}
    {%- if kind == 'active' -%}
    ({{ clock_slot_reading(slot_row, clock_s, 'open') }} - {{ clock_slot_reading(slot_row, clock_s, 'excluded') }})
    {%- else -%}
    {%- set unconditional = {'open': 1, 'excluded': 0}[kind] -%}
    (
        {{ slot_row }}.{{ kind }}_base_seconds
        {%- for number in range(1, clock_slot_pieces(kind) | int + 1) %}
        {%- if number == unconditional + 1 %}
        + case when {{ slot_row }}.{{ kind }}_piece_count > {{ unconditional }} then
        {%- endif %}
        {{ '+ ' if number != unconditional + 1 }}least(
            greatest({{ clock_s }} % {{ clock_slot_seconds() }}, {{ slot_row }}.{{ kind }}_from_{{ number }}_seconds),
            {{ slot_row }}.{{ kind }}_to_{{ number }}_seconds
        )
        {%- endfor %}
        else 0 end
    )
    {%- endif -%}
{%- endmacro %}

{#- Query, to be imported as CTE `reach`: the slots that the tickets at hand can reach. A clock is read at its steps and,
    while it runs, at as_of. -#}
{% macro clock_reach() -%}
    select
        {{ int_div('min(steps.event_s)', clock_slot_seconds()) }} as first_slot_number,
        {{ int_div('max(steps.event_s)', clock_slot_seconds()) }} as last_slot_number,
        {{ int_div('min(run_context.as_of_s)', clock_slot_seconds()) }} as as_of_slot_number
    from {{ ref('int_ticket_step') }} as steps
    cross join run_context
    where {{ for_tickets('steps.ticket_id') }}
{%- endmacro %}

{#- The CTEs that reading the clock's lookup table takes: `run_context` (as_of, and how many scopes a slot has) and
    `reach`. -#}
{% macro clock_context() -%}
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
)
{%- endmacro %}

{#- The clock's lookup table within `reach`: building the array costs as much as twenty looks into it. -#}
{% macro reached_clock_slots() -%}
    (
        select clock_slots.*
        from {{ ref('int_clock_slot') }} as clock_slots
        where
            clock_slots.slot_number >= (select reach.first_slot_number from reach)
            and (
                clock_slots.slot_number <= (select reach.last_slot_number from reach)
                or clock_slots.slot_number = (select reach.as_of_slot_number from reach)
            )
    )
{%- endmacro %}

{#- An instant and the situation it led to in one BIGINT, instant first: min and max of it find both. Up to 2^20
    situations (a test sees to that). -#}
{% macro mark(clock_s, situation_id) -%}
    (cast({{ clock_s }} as bigint) * 1048576 + {{ situation_id }})
{%- endmacro %}

{% macro mark_second(mark) -%}
    {{ adapter.dispatch('mark_second', 'slt_warehouse')(mark) }}
{%- endmacro %}
{% macro duckdb__mark_second(mark) -%}
    cast(({{ mark }}) >> 20 as integer)
{%- endmacro %}

{% macro mark_situation(mark) -%}
    {{ adapter.dispatch('mark_situation', 'slt_warehouse')(mark) }}
{%- endmacro %}
{% macro duckdb__mark_situation(mark) -%}
    cast(({{ mark }}) & 1048575 as integer)
{%- endmacro %}

{#- One whole number for a ticket's clock: a join or group by two columns is no look into an array. -#}
{% macro clock_key(ticket_id, slot_number) -%}
    ({{ ticket_id }} * {{ slt_slot_count() }} + {{ slot_number }})
{%- endmacro %}
