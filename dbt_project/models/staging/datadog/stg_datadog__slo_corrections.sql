with source as (
    select * from {{ source('datadog', 'slo_correction') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('datadog', 'slo_correction', ['id']) }}
),

renamed as (
    select
        id as slo_correction_id,
        slo_id,
        nullif(category, '') as category,
        {{ from_epoch_seconds("nullif(" ~ adapter.quote('start') ~ ", '')") }} as start_at,
        {{ from_epoch_seconds("nullif(" ~ adapter.quote('end') ~ ", '')") }} as end_at,
        cast(nullif(duration, '') as bigint) as duration_seconds,
        nullif(rrule, '') as recurrence_rule,
        coalesce(nullif(timezone, ''), 'UTC') as time_zone,
        nullif(description, '') as description,
        {{ from_epoch_seconds("nullif(created_at, '')") }} as created_at,
        {{ from_epoch_seconds("nullif(modified_at, '')") }} as modified_at,
        _batch_id as batch_id
    from current_records
)

select * from renamed
