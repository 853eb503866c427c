-- Both sides' totals must be in the reconciliation to the cent, and every row's difference must be its two
-- amounts'.
{{ config(meta={'dagster': {'ref': {'name': 'rec_payout_to_payroll'}}}) }}
with calculated as (
    select
        currency_code,
        sum(payout_amount) as amount
    from {{ ref('fct_incentive_payout') }}
    group by currency_code
),

paid as (
    select
        register_line.currency_code,
        sum(register_line.amount) as amount
    from {{ ref('stg_payroll__register_lines') }} as register_line
    inner join {{ ref('payroll_earning_code') }} as payroll_earning_code
        on register_line.earning_code = payroll_earning_code.earning_code
    where payroll_earning_code.earning_role = 'incentive'
    group by register_line.currency_code
),

reconciled as (
    select
        currency_code,
        sum(payout_amount) as payout_amount,
        sum(payroll_amount) as payroll_amount,
        sum(difference_amount) as difference_amount
    from {{ ref('rec_payout_to_payroll') }}
    group by currency_code
),

currency_spine as (
    select currency_code from calculated

    union

    select currency_code from paid

    union

    select currency_code from reconciled
),

failure as (
    select
        currency_spine.currency_code,
        calculated.amount as calculated_amount,
        reconciled.payout_amount,
        paid.amount as paid_amount,
        reconciled.payroll_amount,
        reconciled.difference_amount
    from currency_spine
    left join calculated on currency_spine.currency_code is not distinct from calculated.currency_code
    left join paid on currency_spine.currency_code is not distinct from paid.currency_code
    left join reconciled on currency_spine.currency_code is not distinct from reconciled.currency_code
    where
        coalesce(calculated.amount, 0) <> coalesce(reconciled.payout_amount, 0)
        or coalesce(paid.amount, 0) <> coalesce(reconciled.payroll_amount, 0)
        or coalesce(reconciled.difference_amount, 0)
        <> coalesce(reconciled.payroll_amount, 0) - coalesce(reconciled.payout_amount, 0)
)

select * from failure
