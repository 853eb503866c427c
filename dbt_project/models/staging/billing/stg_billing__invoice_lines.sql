with source as (
    select * from {{ source('billing', 'invoice_line') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('billing', 'invoice_line', ['invoice_number', 'line_number']) }}
),

renamed as (
    select
        invoice_number,
        cast(nullif(line_number, '') as integer) as line_number,
        lower(nullif(trim(line_kind), '')) as line_kind,
        nullif(description, '') as description,
        cast(nullif(quantity, '') as integer) as quantity_count,
        cast(nullif(unit_amount, '') as decimal(18, 2)) as unit_amount,
        cast(nullif(net_amount, '') as decimal(18, 2)) as net_amount,
        nullif(currency, '') as currency_code,
        _batch_id as batch_id
    from current_records
)

select * from renamed
