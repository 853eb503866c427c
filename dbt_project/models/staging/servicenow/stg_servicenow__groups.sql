with source as (
    select * from {{ source('servicenow', 'sys_user_group') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('servicenow', 'sys_user_group', ['sys_id']) }}
),

renamed as (
    select
        sys_id as group_id,
        name as group_name,
        cast(nullif(active, '') as boolean) as is_active,
        _batch_id as batch_id
    from current_records
)

select * from renamed
