-- What each person earns from a pool for a quarter.
with pool_claim as (
    select * from {{ ref('fct_pool_claim') }}
    where claim_status = 'earned'
),

final as (
    select
        cast({{ md5_of(["'pool'", 'pool_code', 'earned_quarter', 'employee_number']) }} as varchar) as earning_line_id,
        cast('pool' as varchar) as earning_kind,
        cast(employee_number as varchar) as employee_number,
        cast(earned_quarter as varchar) as earned_quarter,
        cast(team_code as varchar) as team_code,
        cast(country_code as varchar) as country_code,
        cast(cost_centre_code as varchar) as cost_centre_code,
        cast(currency_code as varchar) as currency_code,
        cast(earned_amount as decimal(18, 2)) as earned_amount,
        cast(payment_period as varchar) as payment_period,
        cast(pool_code as varchar) as pool_code,
        cast(pool_claim_id as varchar) as pool_claim_id,
        cast(claim_share as decimal(18, 6)) as claim_share
    from pool_claim
)

select * from final
