-- Journal lines with the role of their account and, on incentive expense, the quarter their reference names.
with journal_line as (
    select * from {{ ref('stg_ledger__journal_lines') }}
),

gl_account as (
    select * from {{ ref('gl_account') }}
),

final as (
    select
        journal_line.voucher_number,
        journal_line.line_number,
        journal_line.posted_on,
        journal_line.fiscal_period,
        journal_line.account_code,
        gl_account.account_role,
        journal_line.cost_centre_code,
        journal_line.debit_amount,
        journal_line.credit_amount,
        journal_line.currency_code,
        journal_line.description as line_text,
        journal_line.reference,
        case
            when gl_account.account_role = 'incentive_expense' and journal_line.reference like 'INC-____-Q_'
                then substr(journal_line.reference, 5)
        end as earned_quarter,
        journal_line.batch_id
    from journal_line
    left join gl_account on journal_line.account_code = gl_account.account_code
)

select * from final
