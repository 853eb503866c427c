with source as (
    select * from {{ source('ledger', 'journal_line') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('ledger', 'journal_line', ['voucher_number', 'line_number']) }}
),

renamed as (
    select
        voucher_number,
        cast(nullif(line_number, '') as integer) as line_number,
        {{ to_date('posted_on') }} as posted_on,
        nullif(fiscal_period, '') as fiscal_period,
        nullif(account, '') as account_code,
        nullif(cost_centre, '') as cost_centre_code,
        -- an empty side of a journal line is an amount of nothing, not an unknown one
        cast(coalesce(nullif(debit_amount, ''), '0') as decimal(18, 2)) as debit_amount,
        cast(coalesce(nullif(credit_amount, ''), '0') as decimal(18, 2)) as credit_amount,
        nullif(currency, '') as currency_code,
        nullif(description, '') as description,
        nullif(reference, '') as reference,
        _batch_id as batch_id
    from current_records
)

select * from renamed
