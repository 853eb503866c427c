with source as (
    select * from {{ source('datadog', 'slo_history') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('datadog', 'slo_history', ['slo_id', 'from_ts', 'to_ts']) }}
),

renamed as (
    select
        slo_id,
        {{ from_epoch_seconds('from_ts') }} as window_from_at,
        {{ from_epoch_seconds('to_ts') }} as window_to_at,
        outcome as read_outcome,
        cast(nullif(sli_value, '') as decimal(18, 6)) as sli_percent,
        nullif(errors, '') as error_list,
        _batch_id as batch_id
    from current_records
)

select * from renamed
