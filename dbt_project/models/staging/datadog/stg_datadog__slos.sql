with source as (
    select * from {{ source('datadog', 'slo') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('datadog', 'slo', ['id']) }}
),

renamed as (
    select
        id as slo_id,
        nullif(name, '') as slo_name,
        nullif(type, '') as slo_type,
        monitor_ids,
        thresholds,
        tags,
        {{ regex_group('tags', '"service:([^"]+)"') }} as service_code,
        _batch_id as batch_id
    from current_records
)

select * from renamed
