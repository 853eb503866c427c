-- What each result a plan pays on was measured on: one row per observation and, of a monitor, per month, with what it
-- put into numerator and denominator: the contributions of a result sum to the result.
with metric_result as (
    select * from {{ ref('fct_metric_result') }}
),

plan_component as (
    select * from {{ ref('plan_component') }}
),

metric_definition as (
    select * from {{ ref('int_metric_definition') }}
),

metric_part as (
    select * from {{ ref('int_metric_part') }}
),

metric_day as (
    select * from {{ ref('int_metric_day') }}
),

frozen_slice as (
    select * from {{ ref('int_metric_frozen_slice') }}
),

dimension_use as (
    select * from {{ ref('int_metric_dimension_use') }}
    where entity_type = 'team'
),
{% for kind, observation in metric_observations().items() %}
{{ kind }}_observation as (
    select * from {{ ref(observation.model) }}
),
{% endfor %}
-- a plan reads results of teams
paid_result as (
    select
        metric_result.metric_result_key,
        metric_result.metric_code,
        metric_result.metric_version,
        metric_result.entity_type,
        metric_result.entity_code,
        metric_result.period_grain,
        metric_result.period_start_on,
        metric_definition.denominator_measure is null as is_counted
    from metric_result
    inner join metric_definition
        on
            metric_result.metric_code = metric_definition.metric_code
            and metric_result.metric_version = metric_definition.metric_version
    where
        metric_result.entity_type = 'team'
        and metric_result.metric_code in (select plan_component.metric_code from plan_component)
),

-- numerator and denominator of a combination of dimension values side by side
taken as (
    select
        metric_code,
        metric_version,
        observation_kind,
        dimension_key,
        max(case when part_code = 'numerator' then measure_code end) as numerator_measure,
        max(case when part_code = 'numerator' then part_weight end) as numerator_weight,
        max(case when part_code = 'denominator' then measure_code end) as denominator_measure,
        max(case when part_code = 'denominator' then part_weight end) as denominator_weight
    from metric_part
    where metric_code in (select plan_component.metric_code from plan_component)
    group by metric_code, metric_version, observation_kind, dimension_key
),
{% for kind, observation in metric_observations().items() %}
{{ kind }}_placed as (
    select
        {{ kind }}_observation.observation_key,
        {% if kind == 'ticket_slt' -%}
        -- the key of a clock is that of its ticket and the SLT
        left(
            {{ kind }}_observation.observation_key,
            length({{ kind }}_observation.observation_key) - length({{ kind }}_observation.slt_code) - 1
        ) as ticket_key,
        {%- else -%}
        cast(null as varchar) as ticket_key,
        {%- endif %}
        {{ kind }}_observation.category as observed_category,
        {{ kind }}_observation.team_code,
        {{ kind }}_observation.batch_id,
        metric_day.slice_from_on,
        metric_day.month_on,
        {{ metric_dimension_columns(kind ~ '_observation', 'dimension_use') }},
    {%- for measure in observation.measures %}
    {{ kind }}_observation.{{ measure }}{{ ',' if not loop.last }}
    {%- endfor %}
    from {{ kind }}_observation
    inner join metric_day on cast({{ kind }}_observation.observed_at as date) = metric_day.day_on
    inner join dimension_use on dimension_use.observation_kind = '{{ kind }}'
    where {{ kind }}_observation.team_code is not null
),

{{ kind }}_keyed as (
    select
        {{ kind }}_placed.*,
        {{ metric_dimension_key("'" ~ kind ~ "'", kind ~ '_placed') }} as dimension_key
    from {{ kind }}_placed
),

-- both periods of a month as rows, so that the joins below are on equal keys only
{{ kind }}_period as (
    select
        'month' as period_grain,
        month_on as period_start_on,
        {{ kind }}_keyed.*
    from {{ kind }}_keyed
    union all
    select
        'quarter' as period_grain,
        {{ quarter_start('month_on') }} as period_start_on,
        {{ kind }}_keyed.*
    from {{ kind }}_keyed
),

{{ kind }}_evidence as (
    select
        paid_result.metric_result_key,
        paid_result.metric_code,
        paid_result.entity_type,
        paid_result.entity_code,
        paid_result.is_counted,
        '{{ kind }}' as observation_kind,
        {{ kind }}_period.observation_key,
        {{ kind }}_period.ticket_key,
        {{ kind }}_period.observed_category,
        {{ kind }}_period.batch_id,
        {{ kind }}_period.slice_from_on,
        {{ kind }}_period.month_on,
    {%- for role in ['numerator', 'denominator'] %}
    coalesce(taken.{{ role }}_weight * case taken.{{ role }}_measure
        {% for measure in observation.measures -%}
        when '{{ measure }}' then {{ kind }}_period.{{ measure }}
        {% endfor -%}
        end, 0) as {{ role }}_part{{ ',' if not loop.last }}
    {%- endfor %}
    from paid_result
    inner join {{ kind }}_period
        on
            paid_result.entity_code = {{ kind }}_period.team_code
            and paid_result.period_grain = {{ kind }}_period.period_grain
            and paid_result.period_start_on = {{ kind }}_period.period_start_on
    inner join taken
        on
            paid_result.metric_code = taken.metric_code
            and paid_result.metric_version = taken.metric_version
            and taken.observation_kind = '{{ kind }}'
            and {{ kind }}_period.dimension_key = taken.dimension_key
    where
        (
            taken.numerator_measure is not null
            and case taken.numerator_measure
                {% for measure in observation.measures -%}
                when '{{ measure }}' then {{ kind }}_period.{{ measure }}
                {% endfor -%}
            end is not null
        )
        or (
            taken.denominator_measure is not null
            and case taken.denominator_measure
                {% for measure in observation.measures -%}
                when '{{ measure }}' then {{ kind }}_period.{{ measure }}
                {% endfor -%}
            end is not null
        )
),
{% endfor %}
all_evidence as (
    {% for kind in metric_observations() -%}
    select * from {{ kind }}_evidence
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

observed_kind as (
    select distinct
        metric_code,
        observation_kind
    from all_evidence
),

-- what a freeze took out of the measurement is no evidence of it
frozen as (
    select distinct
        frozen_slice.metric_code,
        frozen_slice.entity_type,
        frozen_slice.entity_code,
        observed_kind.observation_kind,
        {{ metric_freezable_from('observed_kind.observation_kind', 'frozen_slice.slice_from_on') }} as freezable_from_on
    from frozen_slice
    inner join observed_kind
        on frozen_slice.metric_code = observed_kind.metric_code
),

unfrozen as (
    select all_evidence.*
    from all_evidence
    left join frozen
        on
            all_evidence.metric_code = frozen.metric_code
            and all_evidence.entity_type = coalesce(frozen.entity_type, all_evidence.entity_type)
            and all_evidence.entity_code = coalesce(frozen.entity_code, all_evidence.entity_code)
            and all_evidence.observation_kind = frozen.observation_kind
            and {{ metric_freezable_from('all_evidence.observation_kind', 'all_evidence.slice_from_on') }}
            = frozen.freezable_from_on
    where frozen.metric_code is null
),

observed as (
    select
        metric_result_key,
        case observation_kind when 'ticket_slt' then 'ticket' else observation_kind end as evidence_type,
        coalesce(ticket_key, observation_key) as evidence_key,
        case when observation_kind = 'ticket_slt' then observation_key end as ticket_slt_key,
        cast(null as varchar) as monitor_id,
        cast(null as date) as period_month,
        numerator_part,
        case when is_counted then 1 else denominator_part end as denominator_part,
        batch_id
    from unfrozen
    where observation_kind <> 'availability'
),

-- a monitor's month, whatever slices and services it was cut into
monitored as (
    select
        metric_result_key,
        observed_category as monitor_id,
        month_on as period_month,
        sum(numerator_part) as numerator_part,
        sum(denominator_part) as denominator_part,
        max_by(batch_id, slice_from_on) as batch_id
    from unfrozen
    where observation_kind = 'availability'
    group by metric_result_key, observed_category, month_on
),

final as (
    select
        cast(metric_result_key as varchar) as metric_result_key,
        cast(evidence_type as varchar) as evidence_type,
        cast(evidence_key as varchar) as evidence_key,
        cast(ticket_slt_key as varchar) as ticket_slt_key,
        cast(monitor_id as varchar) as monitor_id,
        cast(period_month as date) as period_month,
        cast(numerator_part > 0 as boolean) as is_in_numerator,
        cast(numerator_part as bigint) as numerator_weight,
        cast(denominator_part as bigint) as evidence_weight,
        cast(batch_id as varchar) as batch_id
    from observed

    union all

    select
        cast(metric_result_key as varchar) as metric_result_key,
        cast('monitor' as varchar) as evidence_type,
        cast(monitor_id || ':' || {{ month_code('period_month') }} as varchar) as evidence_key,
        cast(null as varchar) as ticket_slt_key,
        cast(monitor_id as varchar) as monitor_id,
        cast(period_month as date) as period_month,
        cast(numerator_part > 0 as boolean) as is_in_numerator,
        cast(numerator_part as bigint) as numerator_weight,
        cast(denominator_part as bigint) as evidence_weight,
        cast(batch_id as varchar) as batch_id
    from monitored
)

select * from final
