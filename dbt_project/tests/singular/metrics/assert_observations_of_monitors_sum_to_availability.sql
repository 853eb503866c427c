-- Slices of a monitor's month must sum to the month that is shown: a second lost at a cut would move pay unseen.
{{ config(meta={'dagster': {'ref': {'name': 'int_observation_availability'}}}) }}
with sliced as (
    select
        category as monitor_id,
        service_code,
        cast(date_trunc('month', observed_at) as date) as period_month,
        sum(raw_up_seconds) as raw_up_seconds,
        sum(raw_measured_seconds) as raw_measured_seconds,
        sum(adjusted_up_seconds) as adjusted_up_seconds,
        sum(adjusted_measured_seconds) as adjusted_measured_seconds
    from {{ ref('int_observation_availability') }}
    group by category, service_code, cast(date_trunc('month', observed_at) as date)
),

failure as (
    select
        sliced.monitor_id,
        sliced.service_code,
        sliced.period_month
    from sliced
    left join {{ ref('fct_availability') }} as availability
        on
            sliced.monitor_id = availability.monitor_id
            and coalesce(sliced.service_code, '') = coalesce(availability.service_code, '')
            and sliced.period_month = availability.period_month
    where
        availability.monitor_id is null
        or sliced.raw_up_seconds <> availability.up_seconds
        or sliced.raw_measured_seconds <> availability.up_seconds + availability.down_seconds
        or sliced.adjusted_up_seconds <> availability.adjusted_up_seconds
        or sliced.adjusted_measured_seconds
        <> availability.adjusted_up_seconds + availability.adjusted_down_seconds

    union all

    select
        availability.monitor_id,
        availability.service_code,
        availability.period_month
    from {{ ref('fct_availability') }} as availability
    inner join {{ ref('int_metric_day') }} as metric_day on availability.period_month = metric_day.day_on
    left join sliced
        on
            availability.monitor_id = sliced.monitor_id
            and coalesce(availability.service_code, '') = coalesce(sliced.service_code, '')
            and availability.period_month = sliced.period_month
    where sliced.monitor_id is null
)

select * from failure
