-- Every version of every metric definition, as it computes, with the hash over all that decides a value, and whether
-- and when its gates let it take effect.
with metric_definition as (
    select * from {{ ref('int_metric_definition') }}
),

metric_activation as (
    select * from {{ ref('int_metric_activation') }}
),

business_outcome as (
    select * from {{ ref('business_outcome') }}
),

indicator_cycle as (
    select * from {{ ref('indicator_cycle') }}
),

final as (
    select
        cast(metric_definition.metric_code as varchar) as metric_code,
        cast(metric_definition.metric_version as integer) as metric_version,
        cast(metric_definition.metric_name as varchar) as metric_name,
        cast(metric_definition.definition_hash as varchar) as definition_hash,
        cast(metric_definition.aggregation_kind as varchar) as aggregation_kind,
        cast(metric_definition.observation_kind as varchar) as observation_kind,
        cast(metric_definition.numerator_measure as varchar) as numerator_measure,
        cast(metric_definition.denominator_kind as varchar) as denominator_observation_kind,
        cast(metric_definition.denominator_measure as varchar) as denominator_measure,
        cast(metric_definition.entity_types as varchar) as entity_types,
        cast(metric_definition.filter_text as varchar) as filter_text,
        cast(metric_definition.exclusion_policy as varchar) as exclusion_policy,
        cast(metric_definition.weighting as varchar) as weighting,
        cast(metric_definition.weight_text as varchar) as weight_text,
        cast(metric_definition.standardised_by as varchar) as standardised_by,
        cast(metric_definition.sample_dimension as varchar) as sample_dimension,
        cast(metric_definition.value_basis as varchar) as value_basis,
        cast(metric_definition.value_multiplier as bigint) as multiplier_factor,
        cast(metric_definition.value_divisor as bigint) as divisor_factor,
        cast(metric_definition.seasonality_policy as varchar) as seasonality_policy,
        cast(metric_definition.shrinkage_policy as varchar) as shrinkage_policy,
        cast(metric_definition.prior_sample_count as bigint) as prior_sample_count,
        cast(metric_definition.confidence_level as decimal(9, 6)) as confidence_share,
        cast(metric_definition.min_sample_count as bigint) as min_sample_count,
        cast(metric_definition.baseline_days as integer) as baseline_days,
        cast(metric_definition.phase_in_days as integer) as phase_in_days,
        cast(metric_definition.unit as varchar) as unit,
        cast(metric_definition.direction as varchar) as direction,
        cast(metric_definition.indicator_type as varchar) as indicator_type,
        cast(indicator_cycle.reporting_grain as varchar) as reporting_grain,
        cast(metric_definition.business_outcome_code as varchar) as business_outcome_code,
        cast(business_outcome.business_outcome_name as varchar) as business_outcome_name,
        metric_definition.owner,
        metric_definition.co_owner,
        cast(metric_definition.review_cycle_months as integer) as review_cycle_months,
        cast(metric_definition.effective_from as date) as proposed_from_on,
        cast(coalesce(metric_activation.is_activated, false) as boolean) as is_activated,
        cast(case when metric_activation.is_activated then metric_activation.effective_from end as date)
            as effective_from,
        cast(case when metric_activation.is_activated then metric_activation.effective_to end as date) as effective_to,
        cast(metric_definition.notice_on as date) as notice_on,
        cast(metric_definition.approved_by as varchar) as approved_by,
        cast(metric_definition.approved_on as date) as approved_on
    from metric_definition
    left join metric_activation
        on
            metric_definition.metric_code = metric_activation.metric_code
            and metric_definition.metric_version = metric_activation.metric_version
    left join business_outcome
        on metric_definition.business_outcome_code = business_outcome.business_outcome_code
    left join indicator_cycle on metric_definition.indicator_type = indicator_cycle.indicator_type
)

select * from final
