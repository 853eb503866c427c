{#- What service level objectives need beside the time and exact arithmetic macros. -#}

{#- Shortest stretch an objective can tell apart: the buckets of int_monitor_bucket, in seconds. -#}
{% macro slo_bucket_seconds() -%} 300 {%- endmacro %}

{#- An instant's bucket: the last whole multiple of `seconds` since 1970-01-01 UTC at or before it, TIMESTAMP. -#}
{% macro bucket_start(ts, seconds) -%}
    {{ from_epoch_seconds(int_div(epoch_seconds(ts), seconds) ~ ' * ' ~ seconds) }}
{%- endmacro %}

{#- Whether a text names a time zone the engine can convert with. -#}
{% macro is_time_zone(zone) -%}
    {{ adapter.dispatch('is_time_zone', 'slt_warehouse')(zone) }}
{%- endmacro %}
{% macro duckdb__is_time_zone(zone) -%}
    ({{ zone }} in (select zones.name from pg_timezone_names() as zones))
{%- endmacro %}

{#- For the select list: one row per instant of [from_ts, to_ts], both inclusive, every `step_seconds`. -#}
{% macro instant_spine(from_ts, to_ts, step_seconds) -%}
    {{ adapter.dispatch('instant_spine', 'slt_warehouse')(from_ts, to_ts, step_seconds) }}
{%- endmacro %}
{% macro duckdb__instant_spine(from_ts, to_ts, step_seconds) -%}
    unnest(generate_series({{ from_ts }}, {{ to_ts }}, to_seconds({{ step_seconds }})))
{%- endmacro %}

{#- First day of the calendar window a local date lies in; null for a unit we do not know. Weeks begin on Monday
    (ISO 8601). -#}
{% macro calendar_window_start(unit, date_on) -%}
    (case {{ unit }}
        when 'week' then cast(date_trunc('week', {{ date_on }}) as date)
        when 'month' then cast(date_trunc('month', {{ date_on }}) as date)
        when 'quarter' then cast(date_trunc('quarter', {{ date_on }}) as date)
        when 'year' then cast(date_trunc('year', {{ date_on }}) as date)
    end)
{%- endmacro %}

{#- First day after the calendar window that begins on a date. -#}
{% macro calendar_window_end(unit, start_on) -%}
    (case {{ unit }}
        when 'week' then {{ add_days(start_on, 7) }}
        when 'month' then {{ add_months(start_on, 1) }}
        when 'quarter' then {{ add_months(start_on, 3) }}
        when 'year' then {{ add_months(start_on, 12) }}
    end)
{%- endmacro %}
