-- What versions that are not in force in a period say of it, beside the version that is: each as fct_metric_result has
-- it or would have it. No plan reads it.
with metric_result as (
    select * from {{ ref('int_metric_result') }}
),

replayed_period as (
    select distinct
        metric_code,
        entity_type,
        period_grain,
        period_start_on
    from metric_result
    where not is_in_force
),

compared as (
    select metric_result.*
    from metric_result
    inner join replayed_period
        on
            metric_result.metric_code = replayed_period.metric_code
            and metric_result.entity_type = replayed_period.entity_type
            and metric_result.period_grain = replayed_period.period_grain
            and metric_result.period_start_on = replayed_period.period_start_on
),

final as (
    select
        cast({{ md5_of([
            'metric_code', 'metric_version', 'entity_type', 'entity_code', 'period_grain', 'period_start_on'
        ]) }} as varchar) as metric_result_key,
        cast(metric_code as varchar) as metric_code,
        cast(metric_version as integer) as metric_version,
        cast(definition_hash as varchar) as definition_hash,
        cast(entity_type as varchar) as entity_type,
        cast(entity_code as varchar) as entity_code,
        cast(period_grain as varchar) as period_grain,
        cast(period_start_on as date) as period_start_on,
        cast(period_end_on as date) as period_end_on,
        cast(numerator as bigint) as numerator,
        cast(denominator as bigint) as denominator,
        cast(metric_value as decimal(18, 6)) as metric_value,
        cast(sample_count as bigint) as sample_count,
        cast(result_status as varchar) as result_status,
        cast(aggregation_kind as varchar) as aggregation_kind,
        cast(value_basis as varchar) as value_basis,
        cast(unit as varchar) as unit,
        cast(direction as varchar) as direction,
        cast(raw_value as decimal(18, 6)) as raw_value,
        cast(standardised_value as decimal(18, 6)) as standardised_value,
        cast(expected_value as decimal(18, 6)) as expected_value,
        cast(reference_value as decimal(18, 6)) as reference_value,
        cast(seasonal_factor as decimal(18, 6)) as seasonal_factor,
        cast(seasonally_adjusted_value as decimal(18, 6)) as seasonally_adjusted_value,
        cast(credibility_share as decimal(18, 6)) as credibility_share,
        cast(shrunk_value as decimal(18, 6)) as shrunk_value,
        cast(confidence_lower_value as decimal(18, 6)) as confidence_lower_value,
        cast(confidence_upper_value as decimal(18, 6)) as confidence_upper_value,
        cast(confidence_share as decimal(9, 6)) as confidence_share,
        cast(phase as varchar) as phase,
        cast(phase_share as decimal(18, 6)) as phase_share,
        cast(freeze_status as varchar) as freeze_status,
        cast(frozen_days as integer) as frozen_days,
        cast(freeze_id as varchar) as freeze_id,
        cast(carried_from_on as date) as carried_from_on,
        cast(is_in_force as boolean) as is_in_force,
        cast(case when is_in_force then 'in_force' else 'replayed' end as varchar) as result_kind
    from compared
)

select * from final
