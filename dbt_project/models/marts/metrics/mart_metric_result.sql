{%- set fewest_observations = 5 %}
-- Metric results of teams, services, business units and vendors, without those of persons, and without the figures of
-- results that rest on so few tickets or answers that one person's stands out. Monitors and months are nobody's.
with metric_result as (
    select * from {{ ref('fct_metric_result') }}
    where entity_type <> 'person'
),

weighed as (
    select
        *,
        coalesce(aggregation_kind in ('time_share', 'rate') or sample_count >= {{ fewest_observations }}, false)
            as is_shown
    from metric_result
),

final as (
    select
        cast(metric_result_key as varchar) as metric_result_key,
        cast(metric_code as varchar) as metric_code,
        cast(metric_version as integer) as metric_version,
        cast(definition_hash as varchar) as definition_hash,
        cast(entity_type as varchar) as entity_type,
        cast(entity_code as varchar) as entity_code,
        cast(period_grain as varchar) as period_grain,
        cast(period_start_on as date) as period_start_on,
        cast(period_end_on as date) as period_end_on,
        cast(case when is_shown then numerator end as bigint) as numerator,
        cast(case when is_shown then denominator end as bigint) as denominator,
        cast(case when is_shown then metric_value end as decimal(18, 6)) as metric_value,
        cast(case when is_shown then sample_count end as bigint) as sample_count,
        cast(result_status as varchar) as result_status,
        cast(aggregation_kind as varchar) as aggregation_kind,
        cast(value_basis as varchar) as value_basis,
        cast(unit as varchar) as unit,
        cast(direction as varchar) as direction,
        cast(case when is_shown then raw_value end as decimal(18, 6)) as raw_value,
        cast(case when is_shown then standardised_value end as decimal(18, 6)) as standardised_value,
        cast(case when is_shown then expected_value end as decimal(18, 6)) as expected_value,
        cast(reference_value as decimal(18, 6)) as reference_value,
        cast(seasonal_factor as decimal(18, 6)) as seasonal_factor,
        cast(case when is_shown then seasonally_adjusted_value end as decimal(18, 6)) as seasonally_adjusted_value,
        cast(credibility_share as decimal(18, 6)) as credibility_share,
        cast(case when is_shown then shrunk_value end as decimal(18, 6)) as shrunk_value,
        cast(case when is_shown then confidence_lower_value end as decimal(18, 6)) as confidence_lower_value,
        cast(case when is_shown then confidence_upper_value end as decimal(18, 6)) as confidence_upper_value,
        cast(confidence_share as decimal(9, 6)) as confidence_share,
        cast(phase as varchar) as phase,
        cast(phase_share as decimal(18, 6)) as phase_share,
        cast(freeze_status as varchar) as freeze_status,
        cast(frozen_days as integer) as frozen_days,
        cast(freeze_id as varchar) as freeze_id,
        cast(carried_from_on as date) as carried_from_on,
        cast(is_in_force as boolean) as is_in_force,
        cast(not is_shown as boolean) as is_suppressed
    from weighed
)

select * from final
