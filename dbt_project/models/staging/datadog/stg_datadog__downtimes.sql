with source as (
    select * from {{ source('datadog', 'downtime') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('datadog', 'downtime', ['id']) }}
),

renamed as (
    select
        id as downtime_id,
        nullif(status, '') as status,
        nullif(scope, '') as scope,
        {{ regex_group('scope', '^service:([a-zA-Z0-9_.-]+)$') }} as service_code,
        {{ parse_timestamp(adapter.quote('start'), 'iso8601') }} as start_at,
        {{ parse_timestamp(adapter.quote('end'), 'iso8601') }} as end_at,
        nullif(message, '') as message,
        {{ parse_timestamp('created', 'iso8601') }} as created_at,
        {{ parse_timestamp('canceled', 'iso8601') }} as canceled_at,
        _batch_id as batch_id
    from current_records
)

select * from renamed
