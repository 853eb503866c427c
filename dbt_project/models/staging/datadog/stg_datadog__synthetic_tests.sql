with source as (
    select * from {{ source('datadog', 'synthetic_test') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('datadog', 'synthetic_test', ['public_id']) }}
),

renamed as (
    select
        public_id as test_public_id,
        nullif(name, '') as test_name,
        nullif(type, '') as test_type,
        nullif(status, '') as test_status,
        {{ regex_group('tags', '"service:([^"]+)"') }} as service_code,
        cast(nullif(tick_every, '') as bigint) as interval_seconds,
        _batch_id as batch_id
    from current_records
)

select * from renamed
