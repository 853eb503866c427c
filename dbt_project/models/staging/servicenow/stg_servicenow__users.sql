with source as (
    select * from {{ source('servicenow', 'sys_user') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('servicenow', 'sys_user', ['sys_id']) }}
),

renamed as (
    select
        sys_id as user_id,
        nullif(user_name, '') as user_name,
        nullif(name, '') as display_name,
        nullif(email, '') as email,
        nullif(employee_number, '') as employee_number,
        cast(nullif(active, '') as boolean) as is_active,
        nullif(time_zone, '') as time_zone,
        _batch_id as batch_id
    from current_records
)

select * from renamed
