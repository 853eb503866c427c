-- A credit above its cap claims money the supplier never agreed to; a year's credits that do not sum to the running
-- total hide one.
{{ config(meta={'requirements': ['SVC-2.5']}) }}
with credit as (
    select * from {{ ref('fct_service_credit') }}
),

summed as (
    select
        *,
        sum(credit_amount) over (
            partition by supplier_contract_code, contract_year_number
            order by period_start_on
            rows between unbounded preceding and current row
        ) as summed_amount
    from credit
)

select *
from summed
where
    credit_amount < 0
    or credit_amount > period_cap_amount
    or credit_amount > uncapped_credit_amount
    or summed_amount > yearly_cap_amount
    or summed_amount <> year_to_date_amount
    or (credit_status <> 'ok' and credit_amount <> 0)
    or (shortfall_share = 0 and credit_amount <> 0)
    or (cap_applied = 'none') <> (credit_amount = uncapped_credit_amount)
