with monitor_intervals as (
    select * from {{ ref('int_monitor_interval') }}
),

downtimes as (
    select * from {{ ref('stg_datadog__downtimes') }}
),

exclusion_windows as (
    select * from {{ ref('int_exclusion_window') }}
    where audience = 'internal'
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

spans as (
    select
        coalesce(monitor_intervals.service_code, '') as service_code,
        min(monitor_intervals.from_at) as first_at,
        max(monitor_intervals.to_at) as last_at
    from monitor_intervals
    group by coalesce(monitor_intervals.service_code, '')
),

months as (
    select distinct
        spans.service_code,
        cast(date_trunc('month', spans.first_at) as date) as first_month,
        spans.last_at
    from spans
),

month_days as (
    select
        service_code,
        {{ date_spine('first_month', 'cast(last_at as date)') }} as day_on
    from months
),

-- a downtime called off after it began took effect until then; one called off nobody knows when, never
effective_downtimes as (
    select
        downtimes.service_code,
        downtimes.start_at,
        least(
            coalesce(downtimes.end_at, run_context.as_of_at),
            coalesce(downtimes.canceled_at, downtimes.end_at, run_context.as_of_at)
        ) as effective_end_at
    from downtimes
    cross join run_context
    where
        downtimes.service_code is not null
        and (
            downtimes.canceled_at is not null
            or coalesce(downtimes.status, '') not in ('canceled', 'cancelled')
        )
),

maintenance as (
    select
        service_code,
        {{ whole_second('start_at') }} as starts_at,
        {{ whole_second('effective_end_at') }} as ends_at
    from effective_downtimes
    where start_at < effective_end_at
),

bounds as (
    select
        service_code,
        starts_at as bound_at,
        1 as maintenance_step,
        0 as excluded_step
    from maintenance
    union all
    select
        service_code,
        ends_at as bound_at,
        -1 as maintenance_step,
        0 as excluded_step
    from maintenance
    union all
    select
        exclusion_scope_code as service_code,
        starts_at as bound_at,
        0 as maintenance_step,
        1 as excluded_step
    from exclusion_windows
    union all
    select
        exclusion_scope_code as service_code,
        ends_at as bound_at,
        0 as maintenance_step,
        -1 as excluded_step
    from exclusion_windows
    union all
    select
        service_code,
        cast(day_on as timestamp) as bound_at,
        0 as maintenance_step,
        0 as excluded_step
    from month_days
    where extract(day from day_on) = 1
    union all
    select
        service_code,
        last_at as bound_at,
        0 as maintenance_step,
        0 as excluded_step
    from spans
),

steps as (
    select
        service_code,
        bound_at as from_at,
        sum(maintenance_step) as maintenance_step,
        sum(excluded_step) as excluded_step
    from bounds
    group by service_code, bound_at
),

levels as (
    select
        service_code,
        from_at,
        lead(from_at) over (partition by service_code order by from_at) as to_at,
        sum(maintenance_step) over sweep as maintenance_level,
        sum(excluded_step) over sweep as excluded_level
    from steps
    window sweep as (
        partition by service_code order by from_at rows between unbounded preceding and current row
    )
),

final as (
    select
        levels.service_code,
        cast(date_trunc('month', levels.from_at) as date) as period_month,
        levels.from_at,
        levels.to_at,
        levels.maintenance_level > 0 as is_maintenance,
        levels.excluded_level > 0 as is_excluded
    from levels
    inner join spans on levels.service_code = spans.service_code
    where levels.from_at < spans.last_at and levels.to_at is not null
)

select * from final
