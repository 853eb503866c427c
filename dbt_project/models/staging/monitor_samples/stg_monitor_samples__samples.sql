with source as (
    select * from {{ source('monitor_samples', 'monitor_sample') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches(
        'monitor_samples', 'monitor_sample', ['monitor_id', 'probe_location', 'sampled_at', 'received_at']
    ) }}
),

renamed as (
    select
        monitor_id,
        probe_location,
        {{ parse_timestamp('sampled_at', 'iso8601') }} as sampled_at,
        {{ parse_timestamp('received_at', 'iso8601') }} as received_at,
        lower(nullif(trim(sample_kind), '')) as sample_kind,
        lower(nullif(trim(outcome), '')) as source_outcome,
        cast(nullif(response_ms, '') as integer) as response_ms,
        _batch_id as batch_id
    from current_records
)

select * from renamed
