{#- When a decision counts, and which period it reaches: said once for metrics, plans, targets and weights. -#}

{#- Instant (UTC) a decision counts from: the day it was taken, or the instant it was entered where that is later, so
    that entering it under an earlier day gains nothing. Null while either is missing. -#}
{% macro counts_from(decided_on, recorded_at) -%}
    case
        when {{ decided_on }} is not null and {{ recorded_at }} is not null
            then greatest(cast({{ decided_on }} as timestamp), {{ recorded_at }})
    end
{%- endmacro %}

{#- First day that begins at or after an instant. -#}
{% macro first_day_from(instant) -%}
    case
        when cast(cast({{ instant }} as date) as timestamp) = {{ instant }} then cast({{ instant }} as date)
        else {{ add_days('cast(' ~ instant ~ ' as date)', 1) }}
    end
{%- endmacro %}

{#- First start of a period (grain: SQL for month or quarter) on or after a day. -#}
{% macro period_start_from(day_on, grain) -%}
    case
        when {{ grain }} = 'quarter' and {{ quarter_start(day_on) }} = {{ day_on }} then {{ day_on }}
        when {{ grain }} = 'quarter' then {{ add_months(quarter_start(day_on), 3) }}
        when {{ month_start(day_on) }} = {{ day_on }} then {{ day_on }}
        else {{ add_months(month_start(day_on), 1) }}
    end
{%- endmacro %}

{#- Whether a term (relation with from_on, to_on, recorded_at) covers a day, by what was on record at an instant: a term
    entered afterwards makes no vote, sign-off or request good. -#}
{% macro in_office(term, day_on, recorded_at) -%}
    {{ day_on }} >= {{ term }}.from_on
            and {{ day_on }} <= coalesce({{ term }}.to_on, date '9999-12-31')
            and {{ recorded_at }} >= {{ term }}.recorded_at
{%- endmacro %}
