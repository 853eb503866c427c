with source as (
    select * from {{ source('bamboohr', 'employee') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('bamboohr', 'employee', ['id']) }}
),

renamed as (
    select
        id as employee_id,
        nullif({{ adapter.quote('employeeNumber') }}, '') as employee_number,
        nullif({{ adapter.quote('displayName') }}, '') as display_name,
        nullif({{ adapter.quote('workEmail') }}, '') as work_email,
        nullif(country, '') as country_code,
        {{ to_date(adapter.quote('hireDate')) }} as hired_on,
        {{ to_date(adapter.quote('terminationDate')) }} as terminated_on,
        _batch_id as batch_id
    from current_records
)

select * from renamed
