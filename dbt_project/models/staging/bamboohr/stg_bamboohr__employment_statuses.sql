with source as (
    select * from {{ source('bamboohr', 'employment_status') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('bamboohr', 'employment_status', ['id']) }}
),

renamed as (
    select
        id as employment_status_id,
        {{ adapter.quote('employeeId') }} as employee_id,
        {{ to_date(adapter.quote('date')) }} as effective_on,
        nullif({{ adapter.quote('employmentStatus') }}, '') as employment_status,
        _batch_id as batch_id
    from current_records
)

select * from renamed
