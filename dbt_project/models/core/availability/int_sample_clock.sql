{#- A clock that reads later than the collector's is wrong: nothing arrives before it is sent. A delay in the right
    direction may be the way the samples came, so it is shown and left alone. -#}
{%- set ahead_seconds = 30 -%}
{%- set needed_samples = 12 -%}
with samples as (
    select * from {{ ref('int_monitor_sample') }}
),

delays as (
    select
        monitor_id,
        probe_location,
        cast(sampled_at as date) as sampled_on,
        {{ seconds_between('sampled_at', 'received_at') }} as delay_seconds,
        count(*) as delivery_count
    from samples
    group by
        monitor_id, probe_location, cast(sampled_at as date), {{ seconds_between('sampled_at', 'received_at') }}
),

ranked as (
    select
        *,
        sum(delivery_count) over (
            partition by monitor_id, probe_location, sampled_on
            order by delay_seconds
            rows between unbounded preceding and current row
        ) as up_to_count,
        sum(delivery_count) over (partition by monitor_id, probe_location, sampled_on) as of_count
    from delays
),

medians as (
    select
        monitor_id,
        probe_location,
        sampled_on,
        cast(max(of_count) as bigint) as delivery_count,
        min(case when 2 * up_to_count >= of_count then delay_seconds end) as median_delay_seconds
    from ranked
    group by monitor_id, probe_location, sampled_on
),

points as (
    select
        monitor_id,
        probe_location,
        cast(sampled_at as date) as sampled_on,
        count(distinct sampled_at) as point_count,
        bool_or(has_collector_clock) as has_two_clocks
    from samples
    group by monitor_id, probe_location, cast(sampled_at as date)
),

final as (
    select
        medians.monitor_id,
        medians.probe_location,
        medians.sampled_on,
        medians.delivery_count,
        medians.delivery_count - points.point_count as duplicate_count,
        medians.median_delay_seconds,
        points.has_two_clocks,
        medians.median_delay_seconds < -{{ ahead_seconds }}
        and medians.delivery_count >= {{ needed_samples }} as is_corrected,
        case
            when
                medians.median_delay_seconds < -{{ ahead_seconds }}
                and medians.delivery_count >= {{ needed_samples }}
                then medians.median_delay_seconds
            else 0
        end as correction_seconds
    from medians
    inner join points
        on
            medians.monitor_id = points.monitor_id
            and medians.probe_location = points.probe_location
            and medians.sampled_on = points.sampled_on
)

select * from final
