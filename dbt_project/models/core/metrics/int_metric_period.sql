-- Which version of a metric is measured in which period: the one in force on the period's first day, which decides the
-- whole period, and beside it each version a replay asks for.
with version_period as (
    select * from {{ ref('int_metric_version_period') }}
),

metric_replay as (
    select * from {{ ref('metric_replay') }}
),

reporting_period as (
    select * from {{ ref('int_reporting_period') }}
),

in_force as (
    select
        version_period.metric_code,
        version_period.metric_version,
        version_period.effective_from,
        reporting_period.period_grain,
        reporting_period.period_start_on,
        reporting_period.period_end_on,
        reporting_period.is_complete
    from version_period
    inner join reporting_period
        on
            version_period.effective_from <= reporting_period.period_start_on
            and (
                version_period.effective_to is null
                or version_period.effective_to >= reporting_period.period_start_on
            )
),

replayed as (
    select distinct
        metric_replay.metric_code,
        metric_replay.metric_version,
        reporting_period.period_grain,
        reporting_period.period_start_on,
        reporting_period.period_end_on,
        reporting_period.is_complete
    from metric_replay
    inner join reporting_period
        on
            reporting_period.period_start_on >= metric_replay.replayed_from_on
            and reporting_period.period_start_on <= metric_replay.replayed_to_on
),

final as (
    select
        metric_code,
        metric_version,
        effective_from,
        period_grain,
        period_start_on,
        period_end_on,
        is_complete,
        true as is_in_force
    from in_force
    union all
    select
        replayed.metric_code,
        replayed.metric_version,
        cast(null as date) as effective_from,
        replayed.period_grain,
        replayed.period_start_on,
        replayed.period_end_on,
        replayed.is_complete,
        false as is_in_force
    from replayed
    left join in_force
        on
            replayed.metric_code = in_force.metric_code
            and replayed.metric_version = in_force.metric_version
            and replayed.period_grain = in_force.period_grain
            and replayed.period_start_on = in_force.period_start_on
    where in_force.metric_code is null
)

select * from final
