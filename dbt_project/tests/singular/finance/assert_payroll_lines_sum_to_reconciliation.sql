-- A payroll line that leads to no reconciliation row, or to the wrong one, breaks the way from a payout to its
-- payment: the incentive lines must sum to the reconciliation's payroll amount row by row, and so per quarter and
-- currency.
{{ config(meta={'dagster': {'ref': {'name': 'fct_payroll_line'}}}) }}
with line_sum as (
    select
        rec_payout_to_payroll_key,
        earned_quarter,
        currency_code,
        sum(amount) as amount,
        count(*) as line_count
    from {{ ref('fct_payroll_line') }}
    where earning_role = 'incentive'
    group by rec_payout_to_payroll_key, earned_quarter, currency_code
),

failure as (
    select
        rec_payout_to_payroll.rec_key,
        line_sum.rec_payout_to_payroll_key,
        line_sum.earned_quarter,
        line_sum.currency_code,
        line_sum.amount,
        rec_payout_to_payroll.payroll_amount,
        line_sum.line_count,
        rec_payout_to_payroll.payroll_line_count
    from {{ ref('rec_payout_to_payroll') }} as rec_payout_to_payroll
    full outer join line_sum
        on
            rec_payout_to_payroll.rec_key = line_sum.rec_payout_to_payroll_key
            and (rec_payout_to_payroll.earned_quarter is not distinct from line_sum.earned_quarter)
            and (rec_payout_to_payroll.currency_code is not distinct from line_sum.currency_code)
    where
        rec_payout_to_payroll.rec_key is null
        or coalesce(line_sum.amount, 0) <> rec_payout_to_payroll.payroll_amount
        or coalesce(line_sum.line_count, 0) <> rec_payout_to_payroll.payroll_line_count
)

select * from failure
