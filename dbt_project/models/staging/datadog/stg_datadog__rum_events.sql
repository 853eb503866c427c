with source as (
    select * from {{ source('datadog', 'rum_event') }}
),

latest as (
    {{ latest_version(['id'], adapter.quote('timestamp')) }}
),

renamed as (
    select
        id as rum_event_id,
        {{ parse_timestamp(adapter.quote('timestamp'), 'iso8601') }} as viewed_at,
        nullif(service, '') as service_code,
        nullif(view_name, '') as view_name,
        {{ int_div("cast(nullif(loading_time, '') as bigint)", '1000000') }} as response_ms,
        cast(coalesce(nullif(error_count, ''), '0') as bigint) as error_count,
        _batch_id as batch_id
    from latest
)

select * from renamed
