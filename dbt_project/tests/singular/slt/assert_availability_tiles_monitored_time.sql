-- A monitor whose months do not sum to its time from creation to as_of, or whose adjusted figures exceed the
-- raw ones.
{{ config(meta={'dagster': {'ref': {'name': 'fct_availability'}}}) }}
with measured as (
    select
        monitor_id,
        sum(up_seconds + down_seconds + unknown_seconds) as measured_seconds,
        bool_or(adjusted_up_seconds > up_seconds or adjusted_down_seconds > down_seconds) as is_inflated,
        bool_or(
            maintenance_seconds + excluded_seconds > up_seconds + down_seconds + unknown_seconds
        ) as is_overlong
    from {{ ref('fct_availability') }}
    group by monitor_id
),

expected as (
    select
        monitor_id,
        sum(interval_seconds) as interval_seconds
    from {{ ref('int_monitor_interval') }}
    group by monitor_id
)

select
    expected.monitor_id,
    expected.interval_seconds,
    measured.measured_seconds
from expected
left join measured on expected.monitor_id = measured.monitor_id
where
    measured.measured_seconds is distinct from expected.interval_seconds
    or measured.is_inflated
    or measured.is_overlong
