{#- The clock's lookup table holds this many open pieces of one UTC day side by side. A test fails when a day
    needs more (a piece that does not fit would be time lost); then raise the number. -#}
{% macro clock_piece_count() -%} 8 {%- endmacro %}

{#- Seconds the clock of a scope has counted from the horizon's start to an instant, from the row of
    int_clock_day of the instant's own day. kind: 'open' (calendar) or 'active' (calendar without exclusions).
    Unused places of the row hold [0, 0), never null: least and greatest skip nulls. -#}
{% macro clock_reading(day_row, at_s, kind) -%}
    (
        {{ day_row }}.{{ kind }}_before_seconds
        {%- for number in range(1, clock_piece_count() | int + 1) %}
        + {% if kind == 'active' %}{{ day_row }}.is_active_{{ number }} * {% endif -%}
        greatest(0, least({{ at_s }}, {{ day_row }}.to_s_{{ number }}) - {{ day_row }}.from_s_{{ number }})
        {%- endfor %}
    )
{%- endmacro %}
