{#- The clock's lookup table holds this many open pieces of one UTC day side by side. A test fails when a day
    needs more (a piece that does not fit would be time lost); then raise the number. -#}
{% macro clock_piece_count() -%} 12 {%- endmacro %}

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

{#- Whether one row of slt_condition holds for the values of a situation (all text). A field without a value is
    not any value, so `is` fails and `is_not` holds. -#}
{% macro slt_condition_holds(situation, condition) -%}
    (
        case when {{ condition }}.operator = 'is_not' then 1 else 0 end
        <> case
            when
                case {{ condition }}.field
                    {%- for field in ['ticket_state', 'priority', 'service_code', 'team_code', 'contract_code'] %}
                    when '{{ field }}' then {{ situation }}.{{ field }}
                    {%- endfor %}
                end = {{ condition }}.value
                then 1
            else 0
        end
    )
{%- endmacro %}

{#- Whether the clock of a scope is open at an instant, from the row of int_clock_day of the instant's own day:
    the next second counts. -#}
{% macro clock_is_open(day_row, at_s) -%}
    (
        {{ clock_reading(day_row, at_s ~ ' + 1', 'open') }} > {{ clock_reading(day_row, at_s, 'open') }}
    )
{%- endmacro %}

{#- Instants inside the clock are whole seconds since this one (2000-01-01 UTC, in epoch seconds) as INTEGER:
    half as wide as a timestamp, and good until 2068. -#}
{% macro clock_origin() -%} 946684800 {%- endmacro %}

{% macro clock_seconds(ts) -%}
    cast({{ epoch_seconds(ts) }} - {{ clock_origin() }} as integer)
{%- endmacro %}

{% macro clock_instant(clock_s) -%}
    {{ from_epoch_seconds(exact_integer_64(clock_s) ~ ' + ' ~ clock_origin()) }}
{%- endmacro %}

{% macro clock_date(clock_s) -%}
    {{ add_days("date '2000-01-01'", int_div(clock_s, 86400)) }}
{%- endmacro %}

{#- How many definitions of one source system the telescoped clock measures side by side; a test fails when a
    source has more. -#}
{% macro slt_slot_count() -%} {{ var('slt_slot_count') }} {%- endmacro %}
