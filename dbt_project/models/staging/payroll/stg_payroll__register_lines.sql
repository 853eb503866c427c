with source as (
    select * from {{ source('payroll', 'register_line') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('payroll', 'register_line', ['payroll_line_id']) }}
),

renamed as (
    select
        payroll_line_id,
        pay_period,
        nullif(employee_number, '') as employee_number,
        nullif(earning_code, '') as earning_code,
        cast(nullif(amount, '') as decimal(18, 2)) as amount,
        nullif(currency, '') as currency_code,
        {{ to_date('paid_on') }} as paid_on,
        nullif(cost_centre, '') as cost_centre_code,
        nullif(earned_quarter, '') as earned_quarter,
        _batch_id as batch_id
    from current_records
)

select * from renamed
