-- Each journal line with the role of its account, an incentive expense with the reconciliation row it is summed
-- in: from a payout to the lines it was posted by, and on to the journal they came with.
with journal_line as (
    select * from {{ ref('int_journal_line') }}
),

rec_payout_to_gl as (
    select * from {{ ref('rec_payout_to_gl') }}
),

final as (
    select
        cast(journal_line.voucher_number as varchar) as voucher_number,
        cast(journal_line.line_number as integer) as line_number,
        cast(journal_line.posted_on as date) as posted_on,
        cast(journal_line.fiscal_period as varchar) as fiscal_period,
        cast(journal_line.account_code as varchar) as account_code,
        cast(journal_line.account_role as varchar) as account_role,
        cast(journal_line.cost_centre_code as varchar) as cost_centre_code,
        cast(journal_line.debit_amount as decimal(18, 2)) as debit_amount,
        cast(journal_line.credit_amount as decimal(18, 2)) as credit_amount,
        cast(journal_line.debit_amount - journal_line.credit_amount as decimal(18, 2)) as net_amount,
        cast(journal_line.currency_code as varchar) as currency_code,
        cast(journal_line.line_text as varchar) as line_text,
        cast(journal_line.reference as varchar) as reference,
        cast(journal_line.earned_quarter as varchar) as earned_quarter,
        cast(rec_payout_to_gl.rec_key as varchar) as rec_payout_to_gl_key,
        cast(journal_line.batch_id as varchar) as batch_id
    from journal_line
    left join rec_payout_to_gl
        on
            journal_line.account_role = 'incentive_expense'
            and (journal_line.earned_quarter is not distinct from rec_payout_to_gl.earned_quarter)
            and (journal_line.cost_centre_code is not distinct from rec_payout_to_gl.cost_centre_code)
            and (journal_line.currency_code is not distinct from rec_payout_to_gl.currency_code)
)

select * from final
