with source as (
    select * from {{ source('billing', 'credit_note') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('billing', 'credit_note', ['credit_note_number']) }}
),

renamed as (
    select
        credit_note_number,
        nullif(vendor_code, '') as vendor_code,
        nullif(supplier_contract_code, '') as supplier_contract_code,
        {{ to_date('period_from') }} as period_start_on,
        {{ to_date('period_to') }} as period_end_on,
        {{ to_date('issued_on') }} as issued_on,
        lower(nullif(trim(credit_kind), '')) as credit_kind,
        nullif(breach_reference, '') as breach_reference,
        nullif(invoice_number, '') as invoice_number,
        cast(nullif(credit_amount, '') as decimal(18, 2)) as credit_amount,
        nullif(currency, '') as currency_code,
        _batch_id as batch_id
    from current_records
)

select * from renamed
