-- Both sides' totals must be in the reconciliation to the cent, and every row's difference must be its two
-- amounts'.
{{ config(meta={'dagster': {'ref': {'name': 'rec_payout_to_gl'}}}) }}
with calculated as (
    select
        currency_code,
        sum(payout_amount) as amount
    from {{ ref('fct_incentive_payout') }}
    group by currency_code
),

posted as (
    select
        journal_line.currency_code,
        sum(coalesce(journal_line.debit_amount, 0) - coalesce(journal_line.credit_amount, 0)) as amount
    from {{ ref('stg_ledger__journal_lines') }} as journal_line
    inner join {{ ref('gl_account') }} as gl_account on journal_line.account_code = gl_account.account_code
    where gl_account.account_role = 'incentive_expense'
    group by journal_line.currency_code
),

reconciled as (
    select
        currency_code,
        sum(payout_amount) as payout_amount,
        sum(gl_amount) as gl_amount,
        sum(difference_amount) as difference_amount
    from {{ ref('rec_payout_to_gl') }}
    group by currency_code
),

currency_spine as (
    select currency_code from calculated

    union

    select currency_code from posted

    union

    select currency_code from reconciled
),

failure as (
    select
        currency_spine.currency_code,
        calculated.amount as calculated_amount,
        reconciled.payout_amount,
        posted.amount as posted_amount,
        reconciled.gl_amount,
        reconciled.difference_amount
    from currency_spine
    left join calculated on currency_spine.currency_code is not distinct from calculated.currency_code
    left join posted on currency_spine.currency_code is not distinct from posted.currency_code
    left join reconciled on currency_spine.currency_code is not distinct from reconciled.currency_code
    where
        coalesce(calculated.amount, 0) <> coalesce(reconciled.payout_amount, 0)
        or coalesce(posted.amount, 0) <> coalesce(reconciled.gl_amount, 0)
        or coalesce(reconciled.difference_amount, 0)
        <> coalesce(reconciled.gl_amount, 0) - coalesce(reconciled.payout_amount, 0)
)

select * from failure
