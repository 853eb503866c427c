{#- Recurrence rules: the subset of RFC 5545 (iCalendar) that exclusion requests may use, and local wall clocks as that
    standard reads them. -#}

{#- Names of the weekdays in a rule, Monday first. -#}
{% macro rule_weekdays() %}{{ return(['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']) }}{% endmacro %}

{#- Whether the whole text fits a regular expression; null for null. -#}
{% macro regex_matches(expr, pattern) -%}
    {{ adapter.dispatch('regex_matches', 'slt_warehouse')(expr, pattern) }}
{%- endmacro %}
{% macro duckdb__regex_matches(expr, pattern) -%}
    regexp_full_match({{ expr }}, '{{ pattern }}')
{%- endmacro %}

{#- The value of one part of a rule ('FREQ' of 'FREQ=DAILY;COUNT=3' is DAILY), null when the part is absent. -#}
{% macro rule_part(rule, name) -%}
    {{ regex_group(rule, '(?:^|;)' ~ name ~ '=([^;]*)') }}
{%- endmacro %}

{#- Whether a rule says one of its parts twice; null for null. -#}
{% macro rule_repeats_a_part(rule, parts) -%}
    (
        {%- for part in parts %}
        {{ 'or ' if not loop.first }}';' || {{ rule }} like '%;{{ part }}=%;{{ part }}=%'
        {%- endfor %}
    )
{%- endmacro %}

{#- Days from Monday to the weekday a rule names, null when it names none. -#}
{% macro rule_weekday_number(code) -%}
    case {{ code }}
        {%- for weekday in rule_weekdays() %}
        when '{{ weekday }}' then {{ loop.index0 }}
        {%- endfor %}
    end
{%- endmacro %}

{#- A list of a rule ('+1MO,FR', '-1,05') with a comma before and after each element and without plus signs and
    leading zeros, so that `like '%,1MO,%'` finds an element. -#}
{% macro rule_list(list) -%}
    replace(replace(replace(',' || {{ list }} || ',', '+', ''), ',0', ','), '-0', '-')
{%- endmacro %}

{#- A wall clock reading (TIMESTAMP) in an IANA zone to the UTC instant as RFC 5545 says: a reading that comes twice is
    the first one, a reading that is skipped counts by the offset before the gap. -#}
{% macro local_to_utc_first(local_ts, zone) -%}
    {{ adapter.dispatch('local_to_utc_first', 'slt_warehouse')(local_ts, zone) }}
{%- endmacro %}
{% macro duckdb__local_to_utc_first(local_ts, zone) -%}
    {%- set instant = local_to_utc(local_ts, zone) -%}
    (
        case
            {%- for seconds in [3600, 1800] %}
            when {{ utc_to_local(instant ~ ' - to_seconds(' ~ seconds ~ ')', zone) }} = {{ local_ts }}
                then {{ instant }} - to_seconds({{ seconds }})
            {%- endfor %}
            else {{ instant }}
        end
    )
{%- endmacro %}

{#- Whether a rule has an occurrence that begins on a local date. rule: row with frequency, interval_number,
    week_start_number (days from Monday), weekday_list and month_day_list (rule_list, null without), first_on. COUNT and
    UNTIL are not looked at. -#}
{% macro recurs_on(rule, day_on) -%}
    {%- set first_on = rule ~ '.first_on' -%}
    {%- set days_left = 'extract(day from last_day(' ~ day_on ~ ')) - extract(day from ' ~ day_on ~ ')' -%}
    (
        mod(
            case {{ rule }}.frequency
                when 'DAILY' then {{ day_number(day_on) }} - {{ day_number(first_on) }}
                when 'WEEKLY'
                    then
                        {{ int_div(day_number(day_on) ~ ' + 3 - ' ~ rule ~ '.week_start_number', 7) }}
                        - {{ int_div(day_number(first_on) ~ ' + 3 - ' ~ rule ~ '.week_start_number', 7) }}
                when 'MONTHLY'
                    then
                        12 * (extract(year from {{ day_on }}) - extract(year from {{ first_on }}))
                        + extract(month from {{ day_on }}) - extract(month from {{ first_on }})
                when 'YEARLY' then extract(year from {{ day_on }}) - extract(year from {{ first_on }})
            end,
            {{ rule }}.interval_number
        ) = 0
        and case
            when {{ rule }}.weekday_list is not null or {{ rule }}.month_day_list is not null
                then
                    (
                        {{ rule }}.month_day_list is null
                        or {{ rule }}.month_day_list
                        like '%,' || cast(extract(day from {{ day_on }}) as varchar) || ',%'
                        or {{ rule }}.month_day_list
                        like '%,-' || cast({{ days_left }} + 1 as varchar) || ',%'
                    )
                    and (
                        {{ rule }}.weekday_list is null
                        {%- for weekday in rule_weekdays() %}
                        or (
                            {{ iso_weekday(day_on) }} = {{ loop.index }}
                            and (
                                {{ rule }}.weekday_list like '%,{{ weekday }},%'
                                or {{ rule }}.weekday_list like '%,'
                                || cast({{ int_div('extract(day from ' ~ day_on ~ ') + 6', 7) }} as varchar)
                                || '{{ weekday }},%'
                                or {{ rule }}.weekday_list like '%,-'
                                || cast({{ int_div(days_left ~ ' + 7', 7) }} as varchar)
                                || '{{ weekday }},%'
                            )
                        )
                        {%- endfor %}
                    )
            when {{ rule }}.frequency = 'WEEKLY' then {{ iso_weekday(day_on) }} = {{ iso_weekday(first_on) }}
            when {{ rule }}.frequency = 'MONTHLY'
                then extract(day from {{ day_on }}) = extract(day from {{ first_on }})
            when {{ rule }}.frequency = 'YEARLY'
                then
                    extract(day from {{ day_on }}) = extract(day from {{ first_on }})
                    and extract(month from {{ day_on }}) = extract(month from {{ first_on }})
            else true
        end
    )
{%- endmacro %}

{#- Aggregate: the different values as text in their own order, joined by ', '. -#}
{% macro distinct_list(expr) -%}
    {{ adapter.dispatch('distinct_list', 'slt_warehouse')(expr) }}
{%- endmacro %}
{% macro duckdb__distinct_list(expr) -%}
    string_agg(distinct cast({{ expr }} as varchar), ', ' order by cast({{ expr }} as varchar))
{%- endmacro %}
