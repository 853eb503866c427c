with source as (
    select * from {{ source('bamboohr', 'job_info') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('bamboohr', 'job_info', ['id']) }}
),

renamed as (
    select
        id as job_info_id,
        {{ adapter.quote('employeeId') }} as employee_id,
        {{ to_date(adapter.quote('date')) }} as effective_on,
        nullif(department, '') as department_name,
        nullif({{ adapter.quote('jobTitle') }}, '') as job_title,
        nullif(location, '') as location_name,
        nullif(division, '') as division_name,
        nullif({{ adapter.quote('reportsTo') }}, '') as reports_to,
        _batch_id as batch_id
    from current_records
)

select * from renamed
