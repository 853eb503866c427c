with source as (
    select * from {{ source('payroll', 'payment') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('payroll', 'payment', ['payment_id']) }}
),

renamed as (
    select
        payment_id,
        pay_period,
        nullif(employee_number, '') as employee_number,
        cast(nullif(amount, '') as decimal(18, 2)) as payment_amount,
        nullif(currency, '') as currency_code,
        {{ to_date('value_on') }} as value_on,
        lower(nullif(trim(payment_status), '')) as payment_status,
        {{ to_date('returned_on') }} as returned_on,
        nullif(original_payment_id, '') as original_payment_id,
        _batch_id as batch_id
    from current_records
)

select * from renamed
