with source as (
    select * from {{ source('servicenow', 'sys_audit') }}
),

latest as (
    {{ latest_version(['sys_id'], 'sys_created_on') }}
),

renamed as (
    select
        sys_id as audit_entry_id,
        tablename as table_name,
        documentkey as document_id,
        fieldname as field_name,
        nullif(oldvalue, '') as old_value,
        nullif(newvalue, '') as new_value,
        {{ parse_timestamp('sys_created_on') }} as sys_created_at,
        nullif({{ adapter.quote('user') }}, '') as user_name,
        cast(nullif(record_checkpoint, '') as integer) as record_checkpoint,
        _batch_id as batch_id
    from latest
)

select * from renamed
