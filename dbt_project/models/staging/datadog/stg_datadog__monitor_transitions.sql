with source as (
    select * from {{ source('datadog', 'monitor_transition') }}
),

latest as (
    {{ latest_version(['id'], adapter.quote('timestamp')) }}
),

renamed as (
    select
        id as monitor_transition_id,
        {{ parse_timestamp(adapter.quote('timestamp'), 'iso8601') }} as transition_at,
        monitor_id,
        nullif(source_state, '') as source_state,
        nullif(destination_state, '') as destination_state,
        nullif(service, '') as service_code,
        _batch_id as batch_id
    from latest
)

select * from renamed
