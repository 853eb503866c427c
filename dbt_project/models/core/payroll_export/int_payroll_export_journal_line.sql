-- The journal lines that were exported, as they were.
with journal_line as (
    select * from {{ source('landing', 'payroll_export_journal_line') }}
),

final as (
    select
        payment_period,
        country_code,
        export_number,
        voucher_code,
        line_number,
        voucher_kind,
        fiscal_period,
        currency_code,
        account_role,
        account_code,
        cost_centre_code,
        earned_quarter,
        side,
        amount
    from journal_line
)

select * from final
