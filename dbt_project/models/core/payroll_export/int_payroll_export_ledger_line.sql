-- The ledger's lines that were exported, each with the export that paid it.
with ledger_line as (
    select * from {{ source('landing', 'payroll_export_ledger_line') }}
),

final as (
    select
        ledger_line_id,
        payment_period,
        country_code,
        export_number,
        employee_number,
        currency_code,
        earning_kind,
        pay_code,
        account_code,
        amount
    from ledger_line
)

select * from final
