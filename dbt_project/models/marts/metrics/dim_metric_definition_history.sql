-- Every definition version as it was known, with the days it was believed to be in force: a version stays here though
-- its row were gone from the seeds. Ask it with the macro metric_definition_as_known.
with log as (
    select * from {{ ref('int_metric_definition_log') }}
),

closed as (
    select
        *,
        lead(known_from_at) over (
            partition by metric_code, metric_version
            order by entry_number
        ) as known_to_at
    from log
),

final as (
    select
        cast(metric_code as varchar) as metric_code,
        cast(metric_version as integer) as metric_version,
        cast(entry_number as bigint) as entry_number,
        cast(known_from_at as timestamp) as known_from_at,
        cast(known_to_at as timestamp) as known_to_at,
        cast(known_to_at is null as boolean) as is_current,
        cast(is_withdrawn as boolean) as is_withdrawn,
        cast(is_activated as boolean) as is_activated,
        cast(proposed_from as date) as proposed_from_on,
        cast(effective_from as date) as effective_from,
        cast(effective_to as date) as effective_to,
        cast(refusal_reasons as varchar) as refusal_reasons,
        cast(definition_hash as varchar) as definition_hash,
        cast(metric_name as varchar) as metric_name,
        cast(aggregation_kind as varchar) as aggregation_kind,
        cast(observation_kind as varchar) as observation_kind,
        cast(numerator_measure as varchar) as numerator_measure,
        cast(denominator_kind as varchar) as denominator_observation_kind,
        cast(denominator_measure as varchar) as denominator_measure,
        cast(entity_types as varchar) as entity_types,
        cast(filter_text as varchar) as filter_text,
        cast(exclusion_policy as varchar) as exclusion_policy,
        cast(weighting as varchar) as weighting,
        cast(weight_text as varchar) as weight_text,
        cast(standardised_by as varchar) as standardised_by,
        cast(sample_dimension as varchar) as sample_dimension,
        cast(value_basis as varchar) as value_basis,
        cast(value_multiplier as bigint) as multiplier_factor,
        cast(value_divisor as bigint) as divisor_factor,
        cast(seasonality_policy as varchar) as seasonality_policy,
        cast(shrinkage_policy as varchar) as shrinkage_policy,
        cast(prior_sample_count as bigint) as prior_sample_count,
        cast(confidence_level as decimal(9, 6)) as confidence_share,
        cast(min_sample_count as bigint) as min_sample_count,
        cast(baseline_days as integer) as baseline_days,
        cast(phase_in_days as integer) as phase_in_days,
        cast(unit as varchar) as unit,
        cast(direction as varchar) as direction,
        cast(indicator_type as varchar) as indicator_type,
        cast(business_outcome_code as varchar) as business_outcome_code,
        owner,
        co_owner,
        cast(review_cycle_months as integer) as review_cycle_months,
        cast(run_id as varchar) as run_id,
        cast(latest_batch_id as varchar) as latest_batch_id,
        cast(content_hash as varchar) as content_hash,
        cast(entry_hash as varchar) as entry_hash
    from closed
)

select * from final
