with source as (
    select * from {{ source('bamboohr', 'team_assignment') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('bamboohr', 'team_assignment', ['id']) }}
),

renamed as (
    select
        id as team_assignment_id,
        {{ adapter.quote('employeeId') }} as employee_id,
        {{ to_date(adapter.quote('date')) }} as effective_on,
        {{ to_date(adapter.quote('dateEntered')) }} as entered_on,
        nullif(team, '') as department_name,
        nullif({{ adapter.quote('managerEmployeeNumber') }}, '') as manager_employee_number,
        _batch_id as batch_id
    from current_records
)

select * from renamed
