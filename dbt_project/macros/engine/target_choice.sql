{#- Which target row a clock is held to, said once for all who choose one. The pieces stand in a query over `candidates`
    (int_slt_situation_target); the first two also need the CTEs `scopes` (int_clock_scope) and `clock_days`
    (int_clock_day). -#}

{#- Joins to the candidates of a situation that are in force on the day the clock starts, with the calendar that a
    row may ask the start to lie in. clock: relation with slt_code, slt_version, start_at and the situation. -#}
{% macro join_target_candidates(clock, situation_id) -%}
    inner join candidates
        on
            {{ clock }}.{{ situation_id }} = candidates.situation_id
            and {{ clock }}.slt_code = candidates.slt_code
            and {{ clock }}.slt_version = candidates.slt_version
            and cast({{ clock }}.start_at as date) >= candidates.effective_from
            and cast({{ clock }}.start_at as date) <= candidates.effective_to
    left join scopes as within_scopes
        on
            candidates.starts_within_calendar_code = within_scopes.calendar_code
            and candidates.audience = within_scopes.audience
            and within_scopes.exclusion_scope_code = ''
    left join clock_days as within_days
        on
            within_scopes.scope_id = within_days.scope_id
            and {{ day_number(clock ~ '.start_at') }} = within_days.day_number
{%- endmacro %}

{#- Whether the hour of the start is one the candidate asks for. -#}
{% macro start_hour_fits(clock) -%}
    (
        candidates.starts_within_calendar_code is null
        or {{ clock_is_open('within_days', epoch_seconds(clock ~ '.start_at')) }}
    )
{%- endmacro %}

{#- Order of preference: the most specific row, then the later one; the rest only so that no run chooses by chance. -#}
{% macro best_target_first() -%}
    candidates.specificity desc,
    candidates.effective_from desc,
    candidates.target_seconds asc,
    candidates.starts_within_calendar_code asc
{%- endmacro %}
