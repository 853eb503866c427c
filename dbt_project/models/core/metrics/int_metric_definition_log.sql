{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}
-- Every definition version with the days it was believed to be in force, appended when a run finds either different
-- from what it last said: an approval recorded late shows as a new entry, not as if it had always been there.
with metric_definition as (
    select * from {{ ref('int_metric_definition') }}
),

metric_activation as (
    select * from {{ ref('int_metric_activation') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

extract_batch as (
    select * from {{ ref('int_extract_batch') }}
),

judged as (
    select
        metric_definition.metric_code,
        metric_definition.metric_version,
        metric_definition.definition_hash,
        metric_definition.metric_name,
        metric_definition.aggregation_kind,
        metric_definition.observation_kind,
        metric_definition.numerator_measure,
        metric_definition.denominator_kind,
        metric_definition.denominator_measure,
        metric_definition.entity_types,
        metric_definition.filter_text,
        metric_definition.exclusion_policy,
        metric_definition.weighting,
        metric_definition.weight_text,
        metric_definition.standardised_by,
        metric_definition.sample_dimension,
        metric_definition.value_basis,
        metric_definition.value_multiplier,
        metric_definition.value_divisor,
        metric_definition.seasonality_policy,
        metric_definition.shrinkage_policy,
        metric_definition.prior_sample_count,
        metric_definition.confidence_level,
        metric_definition.min_sample_count,
        metric_definition.baseline_days,
        metric_definition.phase_in_days,
        metric_definition.unit,
        metric_definition.direction,
        metric_definition.indicator_type,
        metric_definition.business_outcome_code,
        metric_definition.owner,
        metric_definition.co_owner,
        metric_definition.review_cycle_months,
        metric_activation.proposed_from,
        metric_activation.is_activated,
        metric_activation.effective_from,
        metric_activation.effective_to,
        metric_activation.refusal_reasons
    from metric_definition
    inner join metric_activation
        on
            metric_definition.metric_code = metric_activation.metric_code
            and metric_definition.metric_version = metric_activation.metric_version
),

found as (
    select
        {{ (definition_log_key() + definition_log_content()) | join(',\n        ') }},
        {{ md5_of(definition_log_key() + definition_log_content()) }} as content_hash
    from judged
),

{{ appended_entries('found', definition_log_key(), definition_log_content(), 'withdrawn', is_incremental(), this) }}

select * from final
