-- A journal line that leads to no reconciliation row, or to the wrong one, breaks the way from a payout to its
-- posting: the incentive expense must sum to the reconciliation's ledger amount row by row, and so per quarter and
-- currency.
{{ config(meta={'dagster': {'ref': {'name': 'fct_journal_line'}}}) }}
with line_sum as (
    select
        rec_payout_to_gl_key,
        earned_quarter,
        currency_code,
        sum(net_amount) as net_amount,
        count(distinct voucher_number) as voucher_count
    from {{ ref('fct_journal_line') }}
    where account_role = 'incentive_expense'
    group by rec_payout_to_gl_key, earned_quarter, currency_code
),

failure as (
    select
        rec_payout_to_gl.rec_key,
        line_sum.rec_payout_to_gl_key,
        line_sum.earned_quarter,
        line_sum.currency_code,
        line_sum.net_amount,
        rec_payout_to_gl.gl_amount,
        line_sum.voucher_count,
        rec_payout_to_gl.voucher_count as reconciled_voucher_count
    from {{ ref('rec_payout_to_gl') }} as rec_payout_to_gl
    full outer join line_sum
        on
            rec_payout_to_gl.rec_key = line_sum.rec_payout_to_gl_key
            and (rec_payout_to_gl.earned_quarter is not distinct from line_sum.earned_quarter)
            and (rec_payout_to_gl.currency_code is not distinct from line_sum.currency_code)
    where
        rec_payout_to_gl.rec_key is null
        or coalesce(line_sum.net_amount, 0) <> rec_payout_to_gl.gl_amount
        or (line_sum.rec_payout_to_gl_key is null and rec_payout_to_gl.voucher_count > 0)
)

select * from failure
