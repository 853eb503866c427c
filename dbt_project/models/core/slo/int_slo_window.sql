with definitions as (
    select * from {{ ref('int_slo_definition') }}
    where is_effective
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

bounded as (
    select
        definitions.*,
        run_context.as_of_at,
        least(
            coalesce(definitions.effective_to, date '9999-12-31'),
            cast({{ utc_to_local('run_context.as_of_at', 'definitions.time_zone') }} as date)
        ) as last_on
    from definitions
    cross join run_context
),

local_days as (
    select
        slo_code,
        slo_version,
        window_kind,
        window_days,
        calendar_unit,
        time_zone,
        as_of_at,
        {{ date_spine('effective_from', 'last_on') }} as local_on
    from bounded
),

-- the version in force on a calendar window's first day measures all of it
calendar_windows as (
    select
        slo_code,
        slo_version,
        window_kind,
        as_of_at,
        local_on as window_start_on,
        {{ calendar_window_end('calendar_unit', 'local_on') }} as window_end_on,
        case calendar_unit
            when 'month' then {{ month_code('local_on') }}
            when 'quarter' then {{ quarter_code('local_on') }}
            when 'year' then cast(year(local_on) as varchar)
            else cast(local_on as varchar)
        end as window_code,
        {{ local_to_utc('cast(local_on as timestamp)', 'time_zone') }} as window_start_at,
        {{ local_to_utc(
            'cast(' ~ calendar_window_end('calendar_unit', 'local_on') ~ ' as timestamp)', 'time_zone'
        ) }} as window_end_at
    from local_days
    where window_kind = 'calendar' and local_on = {{ calendar_window_start('calendar_unit', 'local_on') }}
),

-- a rolling window ends at a local midnight and has its length in elapsed time, whatever the clocks did in it
rolling_ends as (
    select
        *,
        {{ local_to_utc('cast(' ~ add_days('local_on', 1) ~ ' as timestamp)', 'time_zone') }} as window_end_at
    from local_days
    where window_kind = 'rolling'
),

rolling_windows as (
    select
        slo_code,
        slo_version,
        window_kind,
        as_of_at,
        cast({{ utc_to_local(add_seconds('window_end_at', '-86400 * window_days'), 'time_zone') }} as date)
            as window_start_on,
        {{ add_days('local_on', 1) }} as window_end_on,
        cast(local_on as varchar) as window_code,
        {{ add_seconds('window_end_at', '-86400 * window_days') }} as window_start_at,
        window_end_at
    from rolling_ends
    where window_end_at <= as_of_at
),

combined as (
    select * from calendar_windows
    union all
    select * from rolling_windows
),

final as (
    select
        slo_code,
        slo_version,
        window_kind,
        window_code,
        window_start_on,
        window_end_on,
        window_start_at,
        window_end_at,
        {{ seconds_between('window_start_at', 'window_end_at') }} as window_seconds,
        case when window_end_at <= as_of_at then window_end_at else as_of_at end as measured_to_at,
        window_end_at <= as_of_at as is_complete
    from combined
    where window_start_at < as_of_at
)

select * from final
