with source as (
    select * from {{ source('servicenow', 'cmdb_ci') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('servicenow', 'cmdb_ci', ['sys_id']) }}
),

renamed as (
    select
        sys_id as configuration_item_id,
        nullif(name, '') as configuration_item_code,
        nullif(sys_class_name, '') as class_name,
        nullif(operational_status, '') as operational_status,
        _batch_id as batch_id
    from current_records
)

select * from renamed
