with source as (
    select * from {{ source('bamboohr', 'incentive_target') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('bamboohr', 'incentive_target', ['id']) }}
),

renamed as (
    select
        id as incentive_target_id,
        {{ adapter.quote('employeeId') }} as employee_id,
        {{ to_date(adapter.quote('date')) }} as effective_on,
        cast(nullif({{ adapter.quote('quarterlyTargetAmount') }}, '') as decimal(18, 2))
            as quarterly_target_amount,
        nullif(currency, '') as currency_code,
        _batch_id as batch_id
    from current_records
)

select * from renamed
