with intervals as (
    select * from {{ ref('int_monitor_interval') }}
),

pieces as (
    select * from {{ ref('int_availability_piece') }}
),

overlapping as (
    select
        intervals.monitor_id,
        intervals.service_code,
        pieces.period_month,
        intervals.monitor_state,
        intervals.from_at,
        pieces.is_maintenance,
        pieces.is_excluded,
        not pieces.is_maintenance and not pieces.is_excluded as is_counted,
        {{ seconds_between(
            'case when pieces.from_at > intervals.from_at then pieces.from_at else intervals.from_at end',
            'case when pieces.to_at < intervals.to_at then pieces.to_at else intervals.to_at end'
        ) }} as seconds,
        intervals.batch_id
    from intervals
    inner join pieces
        on
            coalesce(intervals.service_code, '') = pieces.service_code
            and intervals.to_at > pieces.from_at
            and intervals.from_at < pieces.to_at
),

totals as (
    select
        monitor_id,
        service_code,
        period_month,
        sum(case when monitor_state = 'up' then seconds else 0 end) as up_seconds,
        sum(case when monitor_state = 'down' then seconds else 0 end) as down_seconds,
        sum(case when monitor_state = 'unknown' then seconds else 0 end) as unknown_seconds,
        sum(case when is_maintenance then seconds else 0 end) as maintenance_seconds,
        sum(case when is_excluded and not is_maintenance then seconds else 0 end) as excluded_seconds,
        sum(case when monitor_state = 'up' and is_counted then seconds else 0 end) as adjusted_up_seconds,
        sum(case when monitor_state = 'down' and is_counted then seconds else 0 end) as adjusted_down_seconds,
        max_by(batch_id, from_at) as batch_id
    from overlapping
    group by monitor_id, service_code, period_month
),

final as (
    select
        cast(monitor_id as varchar) as monitor_id,
        cast(service_code as varchar) as service_code,
        cast(period_month as date) as period_month,
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
            as coverage_share,
        cast(batch_id as varchar) as batch_id
    from totals
)

select * from final
