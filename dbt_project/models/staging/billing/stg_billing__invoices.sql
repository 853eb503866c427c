with source as (
    select * from {{ source('billing', 'invoice') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('billing', 'invoice', ['invoice_number']) }}
),

renamed as (
    select
        invoice_number,
        nullif(vendor_code, '') as vendor_code,
        nullif(supplier_contract_code, '') as supplier_contract_code,
        {{ to_date('period_from') }} as period_start_on,
        {{ to_date('period_to') }} as period_end_on,
        {{ to_date('issued_on') }} as issued_on,
        {{ to_date('due_on') }} as due_on,
        cast(nullif(net_amount, '') as decimal(18, 2)) as net_amount,
        cast(coalesce(nullif(tax_amount, ''), '0') as decimal(18, 2)) as tax_amount,
        cast(nullif(gross_amount, '') as decimal(18, 2)) as gross_amount,
        nullif(currency, '') as currency_code,
        _batch_id as batch_id
    from current_records
)

select * from renamed
