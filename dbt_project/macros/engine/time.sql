{#- Time arithmetic that engines spell differently. Instants are TIMESTAMP without zone holding UTC. -#}

{#- Seconds since 1970-01-01 UTC as BIGINT; a fraction of a second is cut off. -#}
{% macro epoch_seconds(ts) -%}
    {{ adapter.dispatch('epoch_seconds', 'slt_warehouse')(ts) }}
{%- endmacro %}
{% macro duckdb__epoch_seconds(ts) -%}
    (epoch_us({{ ts }}) // 1000000)
{%- endmacro %}

{#- The inverse of epoch_seconds: TIMESTAMP (UTC). -#}
{% macro from_epoch_seconds(seconds) -%}
    {{ adapter.dispatch('from_epoch_seconds', 'slt_warehouse')(seconds) }}
{%- endmacro %}
{% macro duckdb__from_epoch_seconds(seconds) -%}
    make_timestamp(cast({{ seconds }} as bigint) * 1000000)
{%- endmacro %}

{#- TIMESTAMP plus whole seconds. -#}
{% macro add_seconds(ts, seconds) -%}
    {{ adapter.dispatch('add_seconds', 'slt_warehouse')(ts, seconds) }}
{%- endmacro %}
{% macro duckdb__add_seconds(ts, seconds) -%}
    ({{ ts }} + to_seconds({{ seconds }}))
{%- endmacro %}

{#- Whole seconds from one instant to another (both cut to seconds), negative when the second is earlier. -#}
{% macro seconds_between(from_ts, to_ts) -%}
    ({{ epoch_seconds(to_ts) }} - {{ epoch_seconds(from_ts) }})
{%- endmacro %}

{#- TIMESTAMP cut to the whole second. -#}
{% macro whole_second(ts) -%}
    date_trunc('second', {{ ts }})
{%- endmacro %}

{#- Text to TIMESTAMP (UTC). Empty text is null; text that does not fit the format stops the build with the
    value in the message, since a silently lost instant would move a clock.
    format: 'sql' = 'YYYY-MM-DD HH:MM:SS'; 'iso8601' = with T, fraction and Z or offset;
    'day_first_minute' = 'd/m/YYYY HH:MM'. -#}
{% macro parse_timestamp(text, format='sql') -%}
    {{ adapter.dispatch('parse_timestamp', 'slt_warehouse')(text, format) }}
{%- endmacro %}
{% macro duckdb__parse_timestamp(text, format) -%}
    {%- if format == 'sql' -%}
    strptime(nullif({{ text }}, ''), '%Y-%m-%d %H:%M:%S')
    {%- elif format == 'iso8601' -%}
    (cast(nullif({{ text }}, '') as timestamptz) at time zone 'UTC')
    {%- elif format == 'day_first_minute' -%}
    strptime(nullif({{ text }}, ''), '%d/%m/%Y %H:%M')
    {%- else -%}
    {{ exceptions.raise_compiler_error("parse_timestamp: unknown format '" ~ format ~ "'; use sql, iso8601 or day_first_minute") }}
    {%- endif -%}
{%- endmacro %}

{#- Text 'YYYY-MM-DD' to DATE; empty text is null; '0000-00-00' (how some HRIS say "never") is null. -#}
{% macro to_date(text) -%}
    {{ adapter.dispatch('to_date', 'slt_warehouse')(text) }}
{%- endmacro %}
{% macro duckdb__to_date(text) -%}
    cast(nullif(nullif({{ text }}, ''), '0000-00-00') as date)
{%- endmacro %}

{#- DATE plus n days as DATE (n may be negative or a column). -#}
{% macro add_days(date_on, n) -%}
    {{ adapter.dispatch('add_days', 'slt_warehouse')(date_on, n) }}
{%- endmacro %}
{% macro duckdb__add_days(date_on, n) -%}
    cast({{ date_on }} + cast({{ n }} as integer) as date)
{%- endmacro %}

{#- DATE plus n calendar months as DATE (the day is kept, or the month's last day where it does not exist). -#}
{% macro add_months(date_on, n) -%}
    {{ adapter.dispatch('add_months', 'slt_warehouse')(date_on, n) }}
{%- endmacro %}
{% macro duckdb__add_months(date_on, n) -%}
    cast({{ date_on }} + to_months(cast({{ n }} as integer)) as date)
{%- endmacro %}

{#- Days from one date to another as BIGINT, the second one exclusive: (1 Jan, 2 Jan) is 1. -#}
{% macro day_count(from_on, to_on) -%}
    {{ adapter.dispatch('day_count', 'slt_warehouse')(from_on, to_on) }}
{%- endmacro %}
{% macro duckdb__day_count(from_on, to_on) -%}
    date_diff('day', cast({{ from_on }} as date), cast({{ to_on }} as date))
{%- endmacro %}

{#- Integer key of a date: days since 1970-01-01 as INT. Joins on it hash a plain integer. -#}
{% macro day_number(date_on) -%}
    cast({{ day_count("date '1970-01-01'", date_on) }} as integer)
{%- endmacro %}

{#- For the select list: one row per date of [from_on, to_on], both inclusive, as DATE. A row whose range is
    empty or null gives none: `select code, date_spine(a, b) as day_on from t`. -#}
{% macro date_spine(from_on, to_on) -%}
    {{ adapter.dispatch('date_spine', 'slt_warehouse')(from_on, to_on) }}
{%- endmacro %}
{% macro duckdb__date_spine(from_on, to_on) -%}
    cast(unnest(generate_series(cast({{ from_on }} as timestamp), cast({{ to_on }} as timestamp), interval 1 day)) as date)
{%- endmacro %}

{#- ISO day of week of a date: 1 = Monday .. 7 = Sunday. -#}
{% macro iso_weekday(date_on) -%}
    {{ adapter.dispatch('iso_weekday', 'slt_warehouse')(date_on) }}
{%- endmacro %}
{% macro duckdb__iso_weekday(date_on) -%}
    isodow({{ date_on }})
{%- endmacro %}

{#- A wall clock reading (TIMESTAMP) in an IANA zone to the UTC instant. Readings that a daylight saving change
    skips or repeats have no single answer; a test refuses calendars that open or close at one. -#}
{% macro local_to_utc(local_ts, zone) -%}
    {{ adapter.dispatch('local_to_utc', 'slt_warehouse')(local_ts, zone) }}
{%- endmacro %}
{% macro duckdb__local_to_utc(local_ts, zone) -%}
    timezone('UTC', timezone({{ zone }}, {{ local_ts }}))
{%- endmacro %}

{#- A UTC instant to the wall clock reading (TIMESTAMP) in an IANA zone. -#}
{% macro utc_to_local(utc_ts, zone) -%}
    {{ adapter.dispatch('utc_to_local', 'slt_warehouse')(utc_ts, zone) }}
{%- endmacro %}
{% macro duckdb__utc_to_local(utc_ts, zone) -%}
    timezone({{ zone }}, timezone('UTC', {{ utc_ts }}))
{%- endmacro %}

{#- A date and a wall clock text 'HH:MM' to a local TIMESTAMP; '24:00' is the next day's midnight. -#}
{% macro local_clock(date_on, hh_mm) -%}
    {{ adapter.dispatch('local_clock', 'slt_warehouse')(date_on, hh_mm) }}
{%- endmacro %}
{% macro duckdb__local_clock(date_on, hh_mm) -%}
    (cast({{ date_on }} as timestamp)
        + to_minutes(cast(split_part({{ hh_mm }}, ':', 1) as integer) * 60
            + cast(split_part({{ hh_mm }}, ':', 2) as integer)))
{%- endmacro %}

{#- A governed seed's instant, text or timestamp, as TIMESTAMP (UTC). -#}
{% macro seed_ts(expr) -%}
    cast({{ expr }} as timestamp)
{%- endmacro %}

{#- Seconds of a duration ServiceNow stores as an instant that far after 1970-01-01 00:00:00; null for empty text. -#}
{% macro glide_duration_seconds(text) -%}
    {{ epoch_seconds(parse_timestamp(text)) }}
{%- endmacro %}
