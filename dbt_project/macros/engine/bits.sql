{#- Sixty bits of a BIGINT as the intervals of an hour: bit 0 is the first. A state of a monitor is one such number,
    so a state lasts whole intervals and every question about an hour is a few instructions on two numbers. -#}

{#- The number with one bit set, 0 to 62. -#}
{% macro bit_at(position) %}{{ return(adapter.dispatch('bit_at', 'slt_warehouse')(position)) }}{% endmacro %}
{% macro duckdb__bit_at(position) -%}
    (cast(1 as bigint) << cast({{ position }} as bigint))
{%- endmacro %}

{#- Aggregate: every bit that is set on at least one row. -#}
{% macro bits_of_any(bits) %}{{ return(adapter.dispatch('bits_of_any', 'slt_warehouse')(bits)) }}{% endmacro %}
{% macro duckdb__bits_of_any(bits) -%}
    bit_or({{ bits }})
{%- endmacro %}

{#- Aggregate: the bits at the positions (0 to 62) of all rows. DuckDB looks for overflow before it shifts to the left,
    row by row; the top bit shifted to the right is the same number in half the time. -#}
{% macro bits_at_any(position) %}{{ return(adapter.dispatch('bits_at_any', 'slt_warehouse')(position)) }}{% endmacro %}
{% macro duckdb__bits_at_any(position) -%}
    cast(bit_or(
        cast(9223372036854775808 as ubigint) >> xor(cast({{ position }} as ubigint), cast(63 as ubigint))
    ) as bigint)
{%- endmacro %}

{#- Bits set in both. -#}
{% macro bits_in_both(a, b) %}{{ return(adapter.dispatch('bits_in_both', 'slt_warehouse')(a, b)) }}{% endmacro %}
{% macro duckdb__bits_in_both(a, b) -%}
    ({{ a }} & {{ b }})
{%- endmacro %}

{#- Bits set in either. -#}
{% macro bits_in_either(a, b) %}{{ return(adapter.dispatch('bits_in_either', 'slt_warehouse')(a, b)) }}{% endmacro %}
{% macro duckdb__bits_in_either(a, b) -%}
    ({{ a }} | {{ b }})
{%- endmacro %}

{#- Bits set in the first and not in the second. -#}
{% macro bits_without(a, b) %}{{ return(adapter.dispatch('bits_without', 'slt_warehouse')(a, b)) }}{% endmacro %}
{% macro duckdb__bits_without(a, b) -%}
    ({{ a }} & ~({{ b }}))
{%- endmacro %}

{#- Every bit one place later (bit 0 becomes bit 1) or one place earlier (bit 0 falls out). -#}
{% macro bits_later(bits) %}{{ return(adapter.dispatch('bits_later', 'slt_warehouse')(bits)) }}{% endmacro %}
{% macro duckdb__bits_later(bits) -%}
    (({{ bits }}) << 1)
{%- endmacro %}
{% macro bits_earlier(bits) %}{{ return(adapter.dispatch('bits_earlier', 'slt_warehouse')(bits)) }}{% endmacro %}
{% macro duckdb__bits_earlier(bits) -%}
    (({{ bits }}) >> 1)
{%- endmacro %}

{#- How many bits are set, as BIGINT. -#}
{% macro bits_set(bits) %}{{ return(adapter.dispatch('bits_set', 'slt_warehouse')(bits)) }}{% endmacro %}
{% macro duckdb__bits_set(bits) -%}
    cast(bit_count({{ bits }}) as bigint)
{%- endmacro %}

{#- The value (0 or 1) of one bit. -#}
{% macro bit_value(bits, position) %}{{ return(adapter.dispatch('bit_value', 'slt_warehouse')(bits, position)) }}{% endmacro %}
{% macro duckdb__bit_value(bits, position) -%}
    ((({{ bits }}) >> cast({{ position }} as bigint)) & 1)
{%- endmacro %}

{#- Seconds of a state before a second of the hour (0 to 3600), of intervals that many seconds long: whole
    intervals by their bits, the one that is under way by the seconds of it that are over. The seconds in
    [a, b) are the reading at b less the reading at a. -#}
{% macro bit_seconds_before(bits, at_second, interval_seconds) -%}
    (
        {{ bits_set(bits_in_both(bits, '(' ~ bit_at(int_div(at_second, interval_seconds)) ~ ' - 1)')) }}
        * {{ interval_seconds }}
        + {{ bit_value(bits, int_div(at_second, interval_seconds)) }} * mod({{ at_second }}, {{ interval_seconds }})
    )
{%- endmacro %}
