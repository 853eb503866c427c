{#- Exact arithmetic for money and shares. Everything is computed on whole numbers (HUGEINT) and scaled once at
    the end: a quotient of decimals is a DOUBLE on DuckDB, and no float may touch money. -#}

{#- A whole number as wide as the engine has, so that products of money, days and shares cannot overflow. -#}
{% macro exact_integer(number) %}{{ return(adapter.dispatch('exact_integer', 'slt_warehouse')(number)) }}{% endmacro %}
{% macro duckdb__exact_integer(number) -%}
    cast({{ number }} as hugeint)
{%- endmacro %}

{#- Product of two whole numbers as wide as the engine has. Multiplied in 64 bits where both factors allow it
    (3,000,000,000 squared is below 2^63), which is several times quicker, and else in 128. Columns, not expressions:
    they are named more than once. -#}
{% macro multiplied_exactly(one, other) %}{{ return(adapter.dispatch('multiplied_exactly', 'slt_warehouse')(one, other)) }}{% endmacro %}
{% macro duckdb__multiplied_exactly(one, other) -%}
    case
        when {{ one }} between -3000000000 and 3000000000 and {{ other }} between -3000000000 and 3000000000
            then cast(cast({{ one }} as bigint) * {{ other }} as hugeint)
        else cast({{ one }} as hugeint) * {{ other }}
    end
{%- endmacro %}

{#- A decimal column as a whole number of its 10^-scale units, as HUGEINT: (0.1250, 4) is 1250. The column's
    scale must not exceed `scale` (a contract or a seed's column type sees to that), so nothing is rounded. -#}
{% macro integer_units(amount, scale) %}{{ return(adapter.dispatch('integer_units', 'slt_warehouse')(amount, scale)) }}{% endmacro %}
{% macro duckdb__integer_units(amount, scale) -%}
    cast(cast({{ amount }} as decimal(18, {{ scale }})) * cast({{ 10 ** scale }} as decimal({{ scale + 1 }}, 0)) as hugeint)
{%- endmacro %}

{#- The inverse of integer_units: whole units to DECIMAL(18, scale). -#}
{% macro from_integer_units(units, scale) %}{{ return(adapter.dispatch('from_integer_units', 'slt_warehouse')(units, scale)) }}{% endmacro %}
{% macro duckdb__from_integer_units(units, scale) -%}
    cast(cast({{ units }} as decimal(30, 0)) * cast('{{ '0.' ~ '0' * (scale - 1) ~ '1' }}' as decimal({{ scale + 1 }}, {{ scale }})) as decimal(18, {{ scale }}))
{%- endmacro %}

{#- Whole number nearest to numerator / denominator as HUGEINT, halves away from zero, so that a reversal rounds
    to the signed copy of its original. Null when the denominator is null or not positive. Exact while
    |2 x numerator + denominator| stays below 1.7e38. -#}
{% macro round_half_up_integer(numerator, denominator) %}{{ return(adapter.dispatch('round_half_up_integer', 'slt_warehouse')(numerator, denominator)) }}{% endmacro %}
{% macro duckdb__round_half_up_integer(numerator, denominator) -%}
    (case
        when ({{ denominator }}) > 0 then
            (2 * abs(cast({{ numerator }} as hugeint)) + cast({{ denominator }} as hugeint))
            // (2 * cast({{ denominator }} as hugeint))
            * sign(cast({{ numerator }} as hugeint))
    end)
{%- endmacro %}

{#- numerator / denominator (whole numbers) rounded half up (away from zero) to `scale` places, as
    DECIMAL(18, scale). Null when the denominator is null or not positive. (1, 3, 6) is 0.333333; (1, 2, 0)
    is not allowed: use round_half_up_integer. -#}
{% macro round_half_up_ratio(numerator, denominator, scale) -%}
    {%- if scale < 1 -%}
    {{ exceptions.raise_compiler_error("round_half_up_ratio: scale must be at least 1; use round_half_up_integer for whole numbers") }}
    {%- endif -%}
    {{ from_integer_units(round_half_up_integer(exact_integer(numerator) ~ ' * ' ~ 10 ** scale, denominator), scale) }}
{%- endmacro %}

{#- Largest remainder. Each row owes numerator / denominator units (whole numbers; one denominator within a
    partition). Returns the row's whole units as HUGEINT: every row is floored, and the units missing to the
    half-up total of the partition go one each to the largest remainders, ties in the order of `tie_order`.
    So the parts always sum to the rounded whole. Numerators must not be negative.

    numerator, denominator: expressions; partition_by, tie_order: SQL lists, tie_order unique within a partition. -#}
{% macro allocate_largest_remainder(numerator, denominator, partition_by, tie_order) %}{{ return(adapter.dispatch('allocate_largest_remainder', 'slt_warehouse')(numerator, denominator, partition_by, tie_order)) }}{% endmacro %}
{% macro duckdb__allocate_largest_remainder(numerator, denominator, partition_by, tie_order) -%}
    ({{ numerator }}) // ({{ denominator }})
    + case
        when
            row_number() over (
                partition by {{ partition_by }}
                order by ({{ numerator }}) % ({{ denominator }}) desc, {{ tie_order }}
            ) <= {{ round_half_up_integer('sum(' ~ numerator ~ ') over (partition by ' ~ partition_by ~ ')', denominator) }}
                - sum(({{ numerator }}) // ({{ denominator }})) over (partition by {{ partition_by }})
            then 1
        else 0
    end
{%- endmacro %}
