with source as (
    select * from {{ source('servicenow', 'cmdb_rel_ci') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('servicenow', 'cmdb_rel_ci', ['sys_id']) }}
),

renamed as (
    select
        sys_id as item_relation_id,
        nullif(parent, '') as parent_item_id,
        nullif(child, '') as child_item_id,
        nullif(type, '') as relation_type_id,
        {{ parse_timestamp('sys_updated_on') }} as sys_updated_at,
        _batch_id as batch_id
    from current_records
)

select * from renamed
