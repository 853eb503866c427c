with source as (
    select * from {{ source('datadog', 'monitor') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('datadog', 'monitor', ['id']) }}
),

renamed as (
    select
        id as monitor_id,
        nullif(name, '') as monitor_name,
        nullif(type, '') as monitor_type,
        query,
        tags,
        {{ regex_group('tags', '"service:([^"]+)"') }} as service_code,
        nullif(overall_state, '') as overall_state,
        {{ parse_timestamp('created', 'iso8601') }} as created_at,
        {{ parse_timestamp('modified', 'iso8601') }} as modified_at,
        options,
        _batch_id as batch_id
    from current_records
)

select * from renamed
