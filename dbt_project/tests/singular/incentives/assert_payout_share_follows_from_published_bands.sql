-- A reader of the published plan must come to the share each line was paid by, or nobody can check a payout:
-- weight (an effective adjustment's, else the component's) and method, the share from the band reached and the next
-- one, recomputed here from the published tables alone. Both sides are multiplied by the width of the band, so nothing
-- is divided.
{{ config(meta={'dagster': {'ref': {'name': 'fct_incentive_payout'}}}) }}
with reached as (
    select
        payout.payout_line_id,
        payout.payout_share,
        payout.weight,
        payout.band_method,
        payout.result_status,
        payout.paid_value,
        coalesce(adjusted.weight, component.weight) as component_weight,
        component.band_method as component_band_method,
        component.metric_code,
        result.metric_code as result_metric_code,
        max(band.band_number) as band_number
    from {{ ref('fct_incentive_payout') }} as payout
    left join {{ ref('dim_plan_component') }} as component
        on
            payout.plan_code = component.plan_code
            and payout.plan_version = component.plan_version
            and payout.tier = component.tier
            and payout.component_code = component.component_code
    left join {{ ref('int_component_weight') }} as adjusted
        on
            payout.plan_code = adjusted.plan_code
            and payout.plan_version = adjusted.plan_version
            and payout.tier = adjusted.tier
            and payout.component_code = adjusted.component_code
            and payout.earned_quarter = adjusted.earned_quarter
    left join {{ ref('fct_metric_result') }} as result on payout.metric_result_key = result.metric_result_key
    left join {{ ref('dim_achievement_band') }} as band
        on
            payout.plan_code = band.plan_code
            and payout.plan_version = band.plan_version
            and payout.component_code = band.component_code
            and payout.paid_value >= band.lower_bound
            and payout.result_status = 'ok'
    group by all
),

stepped as (
    select
        reached.*,
        coalesce(band.payout_share, 0) as band_share,
        reached.paid_value - band.lower_bound as value_above_bound,
        next_band.lower_bound - band.lower_bound as band_width,
        next_band.payout_share - band.payout_share as share_step,
        next_band.band_number is null or reached.component_band_method = 'flat' as is_flat
    from reached
    inner join {{ ref('fct_incentive_payout') }} as payout on reached.payout_line_id = payout.payout_line_id
    left join {{ ref('dim_achievement_band') }} as band
        on
            payout.plan_code = band.plan_code
            and payout.plan_version = band.plan_version
            and payout.component_code = band.component_code
            and reached.band_number = band.band_number
    left join {{ ref('dim_achievement_band') }} as next_band
        on
            payout.plan_code = next_band.plan_code
            and payout.plan_version = next_band.plan_version
            and payout.component_code = next_band.component_code
            and band.band_number + 1 = next_band.band_number
)

select *
from stepped
where
    (weight is distinct from component_weight)
    or (band_method is distinct from component_band_method)
    or (result_metric_code is not null and result_metric_code <> metric_code)
    or (is_flat and payout_share <> band_share)
    -- rounded half up: exact - 0.00005 < share <= exact + 0.00005
    or (
        not is_flat
        and not (
            (payout_share - band_share) * band_width - share_step * value_above_bound <= 0.00005 * band_width
            and (payout_share - band_share) * band_width - share_step * value_above_bound > -0.00005 * band_width
        )
    )
