{#- Five-minute rows are kept for so many days before as_of: a year of them would be 105,120 rows per service and
    zone, and int_monitor_bucket has them anyway. -#}
{%- set recent_days = var('availability_5m_days', 14) -%}
with buckets as (
    select * from {{ ref('int_service_bucket') }}
),

services as (
    select
        service_code,
        calendar_code
    from {{ ref('service') }}
),

calendars as (
    select
        calendar_code,
        time_zone
    from {{ ref('calendar') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

zones as (
    select
        service_code,
        'Etc/UTC' as time_zone
    from services
    union
    select
        services.service_code,
        calendars.time_zone
    from services
    inner join calendars on services.calendar_code = calendars.calendar_code
),

placed as (
    select
        zones.time_zone,
        buckets.*,
        {{ utc_to_local('buckets.bucket_at', 'zones.time_zone') }} as local_at
    from buckets
    inner join zones on buckets.service_code = zones.service_code
),

recent as (
    select
        '5m' as granularity_code,
        placed.time_zone,
        placed.service_code,
        placed.local_at as bucket_start_local_at,
        placed.bucket_at as bucket_start_at,
        placed.up_seconds,
        placed.down_seconds,
        placed.unknown_seconds,
        placed.maintenance_seconds,
        placed.excluded_seconds,
        placed.adjusted_up_seconds,
        placed.adjusted_down_seconds
    from placed
    cross join run_context
    where placed.bucket_at >= {{ add_seconds('run_context.as_of_at', '-86400 * ' ~ recent_days) }}
),

-- the hour that clocks run through twice has two starts in UTC and stays two hours
hours as (
    select
        'hour' as granularity_code,
        time_zone,
        service_code,
        date_trunc('hour', local_at) as bucket_start_local_at,
        {{ add_seconds('bucket_at', '-' ~ seconds_between("date_trunc('hour', local_at)", 'local_at')) }}
            as bucket_start_at,
        sum(up_seconds) as up_seconds,
        sum(down_seconds) as down_seconds,
        sum(unknown_seconds) as unknown_seconds,
        sum(maintenance_seconds) as maintenance_seconds,
        sum(excluded_seconds) as excluded_seconds,
        sum(adjusted_up_seconds) as adjusted_up_seconds,
        sum(adjusted_down_seconds) as adjusted_down_seconds
    from placed
    group by
        time_zone,
        service_code,
        date_trunc('hour', local_at),
        {{ add_seconds('bucket_at', '-' ~ seconds_between("date_trunc('hour', local_at)", 'local_at')) }}
),

labelled as (
    {%- for granularity in ['day', 'week', 'month', 'quarter'] %}
    select
        '{{ granularity }}' as granularity_code,
        time_zone,
        service_code,
        date_trunc('{{ granularity }}', bucket_start_local_at) as bucket_start_local_at,
        up_seconds,
        down_seconds,
        unknown_seconds,
        maintenance_seconds,
        excluded_seconds,
        adjusted_up_seconds,
        adjusted_down_seconds
    from hours
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

periods as (
    select
        granularity_code,
        time_zone,
        service_code,
        bucket_start_local_at,
        {{ local_to_utc('bucket_start_local_at', 'time_zone') }} as bucket_start_at,
        sum(up_seconds) as up_seconds,
        sum(down_seconds) as down_seconds,
        sum(unknown_seconds) as unknown_seconds,
        sum(maintenance_seconds) as maintenance_seconds,
        sum(excluded_seconds) as excluded_seconds,
        sum(adjusted_up_seconds) as adjusted_up_seconds,
        sum(adjusted_down_seconds) as adjusted_down_seconds
    from labelled
    group by granularity_code, time_zone, service_code, bucket_start_local_at
),

combined as (
    select * from recent
    union all
    select * from hours
    union all
    select * from periods
),

ended as (
    select
        *,
        case granularity_code
            when '5m' then {{ add_seconds('bucket_start_at', 300) }}
            when 'hour' then {{ add_seconds('bucket_start_at', 3600) }}
            else {{ local_to_utc(
                "cast(case granularity_code when 'day' then " ~ add_days('cast(bucket_start_local_at as date)', 1)
                ~ " when 'week' then " ~ add_days('cast(bucket_start_local_at as date)', 7)
                ~ " when 'month' then " ~ add_months('cast(bucket_start_local_at as date)', 1)
                ~ " else " ~ add_months('cast(bucket_start_local_at as date)', 3) ~ " end as timestamp)",
                'time_zone'
            ) }}
        end as bucket_end_at
    from combined
),

final as (
    select
        cast(service_code as varchar) as service_code,
        cast(granularity_code as varchar) as granularity_code,
        cast(time_zone as varchar) as time_zone,
        cast(bucket_start_local_at as timestamp) as bucket_start_local_at,
        cast(bucket_start_at as timestamp) as bucket_start_at,
        cast({{ seconds_between('bucket_start_at', 'bucket_end_at') }} as bigint) as calendar_seconds,
        cast(up_seconds as bigint) as up_seconds,
        cast(down_seconds as bigint) as down_seconds,
        cast(unknown_seconds as bigint) as unknown_seconds,
        cast(maintenance_seconds as bigint) as maintenance_seconds,
        cast(excluded_seconds as bigint) as excluded_seconds,
        cast(adjusted_up_seconds as bigint) as adjusted_up_seconds,
        cast(adjusted_down_seconds as bigint) as adjusted_down_seconds,
        {{ round_half_up_ratio('up_seconds', '(up_seconds + down_seconds)', 6) }} as availability_raw,
        {{ round_half_up_ratio('adjusted_up_seconds', '(adjusted_up_seconds + adjusted_down_seconds)', 6) }}
            as availability_adjusted,
        {{ round_half_up_ratio(
            '(up_seconds + down_seconds)', '(up_seconds + down_seconds + unknown_seconds)', 6
        ) }}
            as coverage_share
    from ended
)

select * from final
