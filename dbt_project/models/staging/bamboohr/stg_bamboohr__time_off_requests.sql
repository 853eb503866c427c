with source as (
    select * from {{ source('bamboohr', 'time_off_request') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('bamboohr', 'time_off_request', ['id']) }}
),

renamed as (
    select
        id as time_off_request_id,
        {{ adapter.quote('employeeId') }} as employee_id,
        {{ to_date(adapter.quote('start')) }} as first_on,
        {{ to_date(adapter.quote('end')) }} as last_on,
        {{ to_date('created') }} as created_on,
        nullif(status, '') as request_status,
        {{ to_date(adapter.quote('statusChanged')) }} as status_changed_on,
        nullif({{ adapter.quote('typeName') }}, '') as leave_type,
        nullif({{ adapter.quote('amountUnit') }}, '') as leave_unit,
        cast(nullif(amount, '') as decimal(9, 2)) as leave_value,
        _batch_id as batch_id
    from current_records
)

select * from renamed
