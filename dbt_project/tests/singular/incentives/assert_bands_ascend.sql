-- Bands out of order or with equal bounds make "the highest band reached" ambiguous and interpolation
-- divide by 0.
with band_order as (
    select
        plan_code,
        plan_version,
        component_code,
        band_number,
        lower_bound,
        payout_share,
        row_number() over (
            partition by plan_code, plan_version, component_code order by band_number
        ) as expected_number,
        lag(lower_bound) over (partition by plan_code, plan_version, component_code order by band_number)
            as previous_bound
    from {{ ref('achievement_band') }}
),

failure as (
    select *
    from band_order
    where
        band_number <> expected_number
        or lower_bound <= previous_bound
        or lower_bound < 0
        or payout_share < 0
)

select * from failure
