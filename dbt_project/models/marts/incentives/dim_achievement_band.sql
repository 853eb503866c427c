-- The achievement bands of every component: the share of its target that a metric value pays.
with achievement_band as (
    select * from {{ ref('achievement_band') }}
),

final as (
    select
        cast(plan_code as varchar) as plan_code,
        cast(plan_version as integer) as plan_version,
        cast(component_code as varchar) as component_code,
        cast(band_number as integer) as band_number,
        cast(lower_bound as decimal(18, 6)) as lower_bound,
        cast(payout_share as decimal(9, 4)) as payout_share
    from achievement_band
)

select * from final
