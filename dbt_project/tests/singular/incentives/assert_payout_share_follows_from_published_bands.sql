-- A reader of the published plan must come to the share each line was paid by, or nobody can check a payout: weight (an
-- effective adjustment's, else that of the service's phase of life, else the component's) and method, the share from
-- threshold, bands and accelerator, recomputed here from the published tables alone. Shares come from bands multiplied
-- by the width of the band, so nothing is divided; what is rounded must lie within half of the last place.
{{ config(meta={'dagster': {'ref': {'name': 'fct_incentive_payout'}}}) }}
with banded as (
    select
        *,
        lead(lower_bound) over (
            partition by plan_code, plan_version, component_code order by band_number
        ) as upper_bound,
        lead(payout_share) over (
            partition by plan_code, plan_version, component_code order by band_number
        ) as upper_payout_share
    from {{ ref('dim_achievement_band') }}
),

valued as (
    select
        payout.payout_line_id,
        payout.payout_share,
        payout.weight,
        payout.band_method,
        payout.paid_value,
        payout.running_before_value,
        payout.plan_code,
        payout.plan_version,
        payout.component_code,
        coalesce(adjusted.weight, lifecycle.weight, component.weight) as component_weight,
        component.band_method as component_band_method,
        component.processing_grain,
        component.metric_code,
        result.metric_code as result_metric_code,
        payout.result_status = 'ok'
        and payout.paid_value is not null
        and payout.paid_value >= coalesce(component.threshold_value, payout.paid_value) as can_earn,
        case
            when payout.paid_value >= component.accelerator_from_value then component.accelerator_factor
            else 1
        end as factor
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
    left join {{ ref('int_lifecycle_weight') }} as lifecycle
        on
            payout.plan_code = lifecycle.plan_code
            and payout.plan_version = lifecycle.plan_version
            and payout.team_code = lifecycle.team_code
            and payout.component_code = lifecycle.component_code
            and payout.earned_quarter = lifecycle.earned_quarter
    left join {{ ref('fct_metric_result') }} as result on payout.metric_result_key = result.metric_result_key
),

offered as (
    select
        valued.payout_line_id,
        valued.paid_value,
        valued.running_before_value,
        valued.running_before_value + valued.paid_value as total_value,
        banded.lower_bound,
        banded.payout_share,
        banded.upper_bound,
        banded.upper_payout_share,
        valued.paid_value >= banded.lower_bound
        and (banded.upper_bound is null or valued.paid_value < banded.upper_bound) as is_reached
    from valued
    inner join banded
        on
            valued.plan_code = banded.plan_code
            and valued.plan_version = banded.plan_version
            and valued.component_code = banded.component_code
),

-- the band the value lies in, and what stepped bands pay on the running total with the value and without it
recomputed as (
    select
        payout_line_id,
        max(case when is_reached then payout_share end) as band_share,
        max(case when is_reached then upper_bound - lower_bound end) as band_width,
        max(case when is_reached then upper_payout_share - payout_share end) as share_step,
        max(case when is_reached then paid_value - lower_bound end) as value_above_bound,
        sum(
            greatest(0, least(total_value, coalesce(upper_bound, total_value)) - lower_bound) * payout_share
        ) as stepped_after,
        sum(
            greatest(0, least(running_before_value, coalesce(upper_bound, running_before_value)) - lower_bound)
            * payout_share
        ) as stepped_before
    from offered
    group by payout_line_id
),

judged as (
    select
        valued.*,
        recomputed.band_share,
        recomputed.band_width,
        recomputed.share_step,
        recomputed.value_above_bound,
        recomputed.stepped_after,
        recomputed.stepped_before
    from valued
    left join recomputed on valued.payout_line_id = recomputed.payout_line_id
)

select *
from judged
where
    (weight is distinct from component_weight)
    or (band_method is distinct from component_band_method)
    or (result_metric_code is not null and result_metric_code <> metric_code)
    or (processing_grain <> 'cumulative' and running_before_value <> 0)
    or (payout_share <> 0 and (not can_earn or (band_method <> 'stepped' and band_share is null)))
    or (
        can_earn
        and band_method <> 'stepped'
        and band_share is not null
        and (band_method = 'flat' or band_width is null)
        and abs(payout_share - band_share * factor) > 0.00005
    )
    -- share x width lies half of the last place, and that of the factor's rounding, from the line drawn
    or (
        can_earn
        and band_method = 'interpolated'
        and band_width is not null
        and abs(payout_share * band_width - (band_share * band_width + share_step * value_above_bound) * factor)
        > (0.00005 + 0.00005 * (factor - 1) * 2 + case when factor = 1 then 0 else 0.00005 end) * band_width
    )
    -- two totals, each rounded: one unit of the last place between them
    or (
        can_earn
        and band_method = 'stepped'
        and abs(payout_share - (stepped_after - stepped_before) * factor) > 0.0001 * factor + 0.00005
    )
