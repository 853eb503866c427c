with source as (
    select * from {{ source('jira', 'field') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('jira', 'field', ['id']) }}
),

renamed as (
    select
        id as field_id,
        name as field_name,
        cast(nullif(custom, '') as boolean) as is_custom,
        {{ json_text(adapter.quote('schema'), '$.custom') }} as custom_type,
        _batch_id as batch_id
    from current_records
)

select * from renamed
