with downtimes as (
    select * from {{ ref('stg_datadog__downtimes') }}
),

exclusion_windows as (
    select
        exclusion_scope_code as service_code,
        starts_at,
        ends_at
    from {{ ref('int_exclusion_window') }}
    where audience = 'internal'
),

register as (
    select * from {{ ref('monitor_register') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

services as (
    select distinct service_code
    from register
),

-- a downtime called off after it began took effect until then; one called off nobody knows when, never
effective_downtimes as (
    select
        downtimes.service_code,
        {{ whole_second('downtimes.start_at') }} as starts_at,
        {{ whole_second('least(
            coalesce(downtimes.end_at, run_context.as_of_at),
            coalesce(downtimes.canceled_at, downtimes.end_at, run_context.as_of_at)
        )') }} as ends_at
    from downtimes
    cross join run_context
    where
        downtimes.canceled_at is not null
        or coalesce(downtimes.status, '') not in ('canceled', 'cancelled')
),

windows as (
    select
        service_code,
        starts_at,
        ends_at,
        1 as maintenance_step,
        0 as excluded_step
    from effective_downtimes
    where starts_at < ends_at
    union all
    select
        service_code,
        starts_at,
        ends_at,
        0 as maintenance_step,
        1 as excluded_step
    from exclusion_windows
),

bounds as (
    select
        windows.service_code,
        {{ epoch_seconds('windows.starts_at') }} as at_second,
        windows.maintenance_step,
        windows.excluded_step
    from windows
    inner join services on windows.service_code = services.service_code
    union all
    select
        windows.service_code,
        {{ epoch_seconds('windows.ends_at') }} as at_second,
        -windows.maintenance_step as maintenance_step,
        -windows.excluded_step as excluded_step
    from windows
    inner join services on windows.service_code = services.service_code
),

steps as (
    select
        service_code,
        at_second,
        sum(maintenance_step) as maintenance_step,
        sum(excluded_step) as excluded_step
    from bounds
    group by service_code, at_second
),

levels as (
    select
        service_code,
        at_second as from_second,
        lead(at_second) over (partition by service_code order by at_second) as to_second,
        sum(maintenance_step) over sweep as maintenance_level,
        sum(excluded_step) over sweep as excluded_level
    from steps
    window sweep as (
        partition by service_code order by at_second rows between unbounded preceding and current row
    )
),

pieces as (
    select
        service_code,
        from_second,
        to_second,
        maintenance_level > 0 as is_maintenance,
        {{ number_spine(int_div('from_second', '3600'), int_div('(to_second - 1)', '3600')) }} as hour_number
    from levels
    where maintenance_level + excluded_level > 0
),

final as (
    select
        service_code,
        hour_number,
        greatest(from_second - hour_number * 3600, 0) as from_second,
        least(to_second - hour_number * 3600, 3600) as to_second,
        is_maintenance
    from pieces
)

select * from final
