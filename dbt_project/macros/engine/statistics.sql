{#- Arithmetic of statistics (sigma, quantiles, queues) in DOUBLE. None of it may reach money: a model that uses it
    ends in decimal_of or whole_number_of, and no payout reads such a column. -#}

{#- numerator / denominator as DOUBLE; null when the denominator is 0 or null. -#}
{% macro float_ratio(numerator, denominator) -%}
    {{ adapter.dispatch('float_ratio', 'slt_warehouse')(numerator, denominator) }}
{%- endmacro %}
{% macro duckdb__float_ratio(numerator, denominator) -%}
    (cast(({{ numerator }}) as double) / nullif(cast(({{ denominator }}) as double), 0))
{%- endmacro %}

{#- A number as DOUBLE. -#}
{% macro float_of(expr) -%}
    {{ adapter.dispatch('float_of', 'slt_warehouse')(expr) }}
{%- endmacro %}
{% macro duckdb__float_of(expr) -%}
    cast(({{ expr }}) as double)
{%- endmacro %}

{#- Square root; null below 0. -#}
{% macro square_root(expr) -%}
    {{ adapter.dispatch('square_root', 'slt_warehouse')(expr) }}
{%- endmacro %}
{% macro duckdb__square_root(expr) -%}
    (case when ({{ expr }}) >= 0 then sqrt({{ expr }}) end)
{%- endmacro %}

{#- e to the power of the number. -#}
{% macro natural_exp(expr) -%}
    {{ adapter.dispatch('natural_exp', 'slt_warehouse')(expr) }}
{%- endmacro %}
{% macro duckdb__natural_exp(expr) -%}
    exp({{ expr }})
{%- endmacro %}

{#- Natural logarithm; null where the number is not positive. -#}
{% macro natural_log(expr) -%}
    {{ adapter.dispatch('natural_log', 'slt_warehouse')(expr) }}
{%- endmacro %}
{% macro duckdb__natural_log(expr) -%}
    (case when ({{ expr }}) > 0 then ln({{ expr }}) end)
{%- endmacro %}

{#- Aggregate or window function: arithmetic mean as DOUBLE, nulls left out. -#}
{% macro mean_of(expr) -%}
    {{ adapter.dispatch('mean_of', 'slt_warehouse')(expr) }}
{%- endmacro %}
{% macro duckdb__mean_of(expr) -%}
    avg(cast({{ expr }} as double))
{%- endmacro %}

{#- Aggregate: median as DOUBLE (the mean of the middle two of an even number), nulls left out. -#}
{% macro median_of(expr) -%}
    {{ adapter.dispatch('median_of', 'slt_warehouse')(expr) }}
{%- endmacro %}
{% macro duckdb__median_of(expr) -%}
    median(cast({{ expr }} as double))
{%- endmacro %}

{#- Aggregate: slope of the least-squares line of y on x as DOUBLE; null below two different x. -#}
{% macro slope_of(y, x) -%}
    {{ adapter.dispatch('slope_of', 'slt_warehouse')(y, x) }}
{%- endmacro %}
{% macro duckdb__slope_of(y, x) -%}
    regr_slope(cast({{ y }} as double), cast({{ x }} as double))
{%- endmacro %}

{#- A statistic as DECIMAL(18, scale), rounded half away from zero. -#}
{% macro decimal_of(expr, scale=6) -%}
    {{ adapter.dispatch('decimal_of', 'slt_warehouse')(expr, scale) }}
{%- endmacro %}
{% macro duckdb__decimal_of(expr, scale) -%}
    cast(round(cast(({{ expr }}) as double), {{ scale }}) as decimal(18, {{ scale }}))
{%- endmacro %}

{#- A statistic as the nearest whole number (BIGINT), halves away from zero. -#}
{% macro whole_number_of(expr) -%}
    {{ adapter.dispatch('whole_number_of', 'slt_warehouse')(expr) }}
{%- endmacro %}
{% macro duckdb__whole_number_of(expr) -%}
    cast(round(cast(({{ expr }}) as double)) as bigint)
{%- endmacro %}

{#- For the select list: one row per whole number of [from_number, to_number], as BIGINT; none when it is empty. -#}
{% macro number_spine(from_number, to_number) -%}
    {{ adapter.dispatch('number_spine', 'slt_warehouse')(from_number, to_number) }}
{%- endmacro %}
{% macro duckdb__number_spine(from_number, to_number) -%}
    unnest(generate_series(cast({{ from_number }} as bigint), cast({{ to_number }} as bigint)))
{%- endmacro %}

{#- Hour of the day (0..23) of an instant, in its own reading. -#}
{% macro hour_of_day(ts) -%}
    {{ adapter.dispatch('hour_of_day', 'slt_warehouse')(ts) }}
{%- endmacro %}
{% macro duckdb__hour_of_day(ts) -%}
    cast(hour({{ ts }}) as integer)
{%- endmacro %}

{#- Whether the whole text follows a regular expression (which may be a column). -#}
{% macro follows_pattern(expr, pattern) -%}
    {{ adapter.dispatch('follows_pattern', 'slt_warehouse')(expr, pattern) }}
{%- endmacro %}
{% macro duckdb__follows_pattern(expr, pattern) -%}
    regexp_full_match({{ expr }}, {{ pattern }})
{%- endmacro %}

{#- First day (Monday) of the ISO week of a date or instant. -#}
{% macro week_start(ts) -%}
    cast(date_trunc('week', {{ ts }}) as date)
{%- endmacro %}
