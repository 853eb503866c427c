with source as (
    select * from {{ source('datadog', 'synthetic_result') }}
),

latest as (
    {{ latest_version(['result_id'], 'checked_at') }}
),

renamed as (
    select
        result_id as synthetic_result_id,
        test_public_id,
        probe_dc as probe_location,
        {{ parse_timestamp('checked_at', 'iso8601') }} as checked_at,
        case passed when 'true' then 'good' when 'false' then 'bad' else 'unknown' end as source_outcome,
        cast(nullif(response_ms, '') as decimal(18, 3)) as response_ms,
        _batch_id as batch_id
    from latest
)

select * from renamed
