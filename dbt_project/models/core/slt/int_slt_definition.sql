{%- set fields = ['ticket_state', 'priority', 'service_code', 'team_code', 'contract_code'] -%}
with definitions as (
    select * from {{ ref('slt_definition') }}
),

conditions as (
    select * from {{ ref('slt_condition') }}
),

-- every value a definition's conditions name for a field, and one they do not name (null)
{% for field in fields -%}
{{ field }}_values as (
    select
        slt_code,
        slt_version,
        value as {{ field }}
    from conditions
    where field = '{{ field }}'
    union
    select
        slt_code,
        slt_version,
        cast(null as varchar) as {{ field }}
    from definitions
),

{% endfor -%}
combinations as (
    select
        definitions.slt_code,
        definitions.slt_version,
        row_number() over (
            partition by definitions.slt_code, definitions.slt_version
            order by
            {% for field in fields -%}
                {{ field }}_values.{{ field }} nulls first{{ ',' if not loop.last }}
            {% endfor -%}
        ) as combination_number,
    {% for field in fields -%}
    {{ field }}_values.{{ field }}{{ ',' if not loop.last }}
    {% endfor -%}
    from definitions
    {% for field in fields -%}
    inner join {{ field }}_values
        on
            definitions.slt_code = {{ field }}_values.slt_code
            and definitions.slt_version = {{ field }}_values.slt_version
    {% endfor -%}
),

clauses as (
    select
        combinations.slt_code,
        combinations.slt_version,
        combinations.combination_number,
        conditions.condition,
        conditions.clause,
        min(case when {{ slt_condition_holds('combinations', 'conditions') }} then 1 else 0 end) as is_met
    from combinations
    inner join conditions
        on
            combinations.slt_code = conditions.slt_code
            and combinations.slt_version = conditions.slt_version
    group by
        combinations.slt_code,
        combinations.slt_version,
        combinations.combination_number,
        conditions.condition,
        conditions.clause
),

outcomes as (
    select
        slt_code,
        slt_version,
        combination_number,
        max(case when condition = 'start' then is_met else 0 end) as is_start,
        max(case when condition in ('stop', 'cancel') then is_met else 0 end) as is_end
    from clauses
    group by slt_code, slt_version, combination_number
),

reach as (
    select
        slt_code,
        slt_version,
        max(is_start) as can_start,
        max(is_start * (1 - is_end)) as can_start_and_run
    from outcomes
    group by slt_code, slt_version
),

named as (
    select
        slt_code,
        slt_version,
        max(case when condition = 'start' then 1 else 0 end) as has_start,
        max(case when condition = 'resume' then 1 else 0 end) as has_resume,
        max(case when condition = 'reset' then 1 else 0 end) as has_reset
    from conditions
    group by slt_code, slt_version
),

judged as (
    select
        definitions.*,
        -- a clock that never attaches measures nothing: the definition is refused, not silently empty
        case
            when coalesce(named.has_start, 0) = 0 then 'start_condition_missing'
            when reach.can_start = 0 then 'start_contradicts_itself'
            when not definitions.is_attached_when_stopped and reach.can_start_and_run = 0
                then 'start_implies_stop'
            when definitions.resume_policy = 'on_condition' and named.has_resume = 0
                then 'resume_condition_missing'
        end as refusal_reason,
        coalesce(named.has_reset, 0) = 1 as has_reset
    from definitions
    left join named
        on
            definitions.slt_code = named.slt_code
            and definitions.slt_version = named.slt_version
    left join reach
        on
            definitions.slt_code = reach.slt_code
            and definitions.slt_version = reach.slt_version
),

final as (
    select
        slt_code,
        slt_version,
        slt_name,
        source_system,
        phase,
        reopen_policy,
        target_policy,
        calendar_policy,
        resume_policy,
        is_attached_when_stopped,
        is_retroactive_start,
        is_retroactive_pause,
        exclusion_audience,
        at_risk_share,
        effective_from,
        effective_to,
        has_reset,
        refusal_reason is null as is_attachable,
        refusal_reason,
        case
            when refusal_reason is null
                then cast(row_number() over (
                        partition by source_system, refusal_reason is null order by slt_code, slt_version
                    ) as integer)
        end as slot_number
    from judged
)

select * from final
