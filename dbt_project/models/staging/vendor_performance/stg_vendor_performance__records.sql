with source as (
    select * from {{ source('vendor_performance', 'record') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('vendor_performance', 'record', ['vendor_code', 'record_id']) }}
),

renamed as (
    select
        vendor_code,
        record_id,
        nullif(service_code, '') as service_code,
        lower(nullif(trim(record_kind), '')) as record_kind,
        nullif(reference, '') as reference,
        {{ parse_timestamp('started_at', 'iso8601') }} as started_at,
        {{ parse_timestamp('ended_at', 'iso8601') }} as ended_at,
        cast(coalesce(nullif(affected_share, ''), '1') as decimal(9, 6)) as affected_share,
        cast(nullif(counted_seconds, '') as bigint) as counted_seconds,
        cast(nullif(target_seconds, '') as bigint) as target_seconds,
        _batch_id as batch_id
    from current_records
)

select * from renamed
