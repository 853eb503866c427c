with buckets as (
    select * from {{ ref('int_monitor_bucket') }}
    where is_required
),

parted as (
    select
        *,
        up_seconds + down_seconds + unknown_seconds as bucket_seconds,
        maintenance_seconds + excluded_seconds as window_seconds,
        up_seconds - excluded_up_seconds as counted_up_seconds,
        down_seconds - excluded_down_seconds as counted_down_seconds
    from buckets
),

-- the worst monitor tells how long the service is down, the best of the others how much of the rest is known
worst as (
    select
        service_code,
        bucket_at,
        count(*) as monitor_count,
        max(bucket_seconds) as bucket_seconds,
        max(maintenance_seconds) as maintenance_seconds,
        max(excluded_seconds) as excluded_seconds,
        max(counted_down_seconds) as counted_down_seconds,
        least(
            max(counted_up_seconds), max(bucket_seconds - window_seconds) - max(counted_down_seconds)
        ) as counted_up_seconds,
        max(excluded_down_seconds) as excluded_down_seconds,
        least(max(excluded_up_seconds), max(window_seconds) - max(excluded_down_seconds)) as excluded_up_seconds
    from parted
    group by service_code, bucket_at
),

final as (
    select
        service_code,
        bucket_at,
        monitor_count,
        bucket_seconds,
        counted_up_seconds + excluded_up_seconds as up_seconds,
        counted_down_seconds + excluded_down_seconds as down_seconds,
        bucket_seconds - counted_up_seconds - excluded_up_seconds - counted_down_seconds - excluded_down_seconds
            as unknown_seconds,
        maintenance_seconds,
        excluded_seconds,
        counted_up_seconds as adjusted_up_seconds,
        counted_down_seconds as adjusted_down_seconds
    from worst
)

select * from final
