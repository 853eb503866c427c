{#- The clock's fast lookup table has a row per slot of six hours and scope, found by one dense INTEGER: an equality
    join on it is a look into an array. So many open and active pieces fit into a slot; a test fails when one
    needs more (a piece that does not fit would be time lost). -#}
{% macro clock_slot_seconds() -%} 21600 {%- endmacro %}
{% macro clock_slot_pieces(kind) -%} {{ {'open': 3, 'active': 4}[kind] }} {%- endmacro %}

{#- Key of int_clock_slot for a second of the clock and a scope. -#}
{% macro clock_slot_key(clock_s, scope_id, scope_count) -%}
    ({{ int_div(clock_s, clock_slot_seconds()) }} * {{ scope_count }} + {{ scope_id }})
{%- endmacro %}

{#- Reading of a scope's clock at a second, from the row of int_clock_slot. A piece adds the second cut to its
    bounds; the base has the bounds' beginnings taken off. Unused pieces are [0, 0), never null. -#}
{% macro clock_slot_reading(slot_row, clock_s, kind) -%}
    (
        {{ slot_row }}.{{ kind }}_base_seconds
        {%- for number in range(1, clock_slot_pieces(kind) | int + 1) %}
        + least(
            greatest({{ clock_s }} % {{ clock_slot_seconds() }}, {{ slot_row }}.{{ kind }}_from_{{ number }}_seconds),
            {{ slot_row }}.{{ kind }}_to_{{ number }}_seconds
        )
        {%- endfor %}
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
