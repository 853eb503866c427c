-- A cent that a pool holds and nobody earned, without a reason, is a cent that disappeared.
{{ config(meta={'requirements': ['OPS-6.5', 'LTI-4.1'], 'dagster': {'ref': {'name': 'rpt_pool_balance'}}}) }}
with allocated as (
    select
        pool_code,
        earned_quarter,
        sum(earned_amount) as allocated_amount
    from {{ ref('fct_pool_allocation') }}
    group by pool_code, earned_quarter
)

select
    balance.pool_code,
    balance.earned_quarter,
    balance.funded_amount,
    balance.allocated_amount,
    balance.unallocated_amount,
    allocated.allocated_amount as paid_amount
from {{ ref('rpt_pool_balance') }} as balance
left join allocated
    on balance.pool_code = allocated.pool_code and balance.earned_quarter = allocated.earned_quarter
where
    balance.funded_amount <> balance.allocated_amount + balance.unallocated_amount
    or balance.allocated_amount <> coalesce(allocated.allocated_amount, 0)
    or balance.unallocated_amount
    <> balance.over_cap_amount
    + balance.no_person_amount
    + balance.leaver_amount
    + balance.not_placed_amount
    + balance.no_claim_amount
