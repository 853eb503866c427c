with source as (
    select * from {{ source('workday', 'worker') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('workday', 'worker', [adapter.quote('Employee_ID'), adapter.quote('Effective_Date')]) }}
),

renamed as (
    select
        {{ adapter.quote('Employee_ID') }} as worker_id,
        {{ to_date(adapter.quote('Effective_Date')) }} as effective_on,
        {{ parse_timestamp(adapter.quote('Entry_Moment'), 'iso8601') }} as entered_at,
        nullif({{ adapter.quote('Worker_Name') }}, '') as display_name,
        nullif({{ adapter.quote('Email_Primary_Work') }}, '') as work_email,
        nullif({{ adapter.quote('Other_System_ID') }}, '') as other_employee_number,
        {{ to_date(adapter.quote('Hire_Date')) }} as hired_on,
        nullif({{ adapter.quote('Worker_Status') }}, '') as worker_status,
        nullif({{ adapter.quote('Business_Title') }}, '') as job_title,
        nullif({{ adapter.quote('Supervisory_Organization') }}, '') as organization_name,
        nullif({{ adapter.quote('Manager_ID') }}, '') as manager_worker_id,
        nullif({{ adapter.quote('Location') }}, '') as location_name,
        nullif({{ adapter.quote('Country') }}, '') as country_code,
        cast(nullif({{ adapter.quote('Exempt') }}, '') as boolean) as is_exempt,
        nullif({{ adapter.quote('Union_Memberships_group') }}, '[]') as union_memberships,
        _batch_id as batch_id
    from current_records
)

select * from renamed
