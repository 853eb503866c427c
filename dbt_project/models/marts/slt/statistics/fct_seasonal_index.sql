with tickets as (
    select * from {{ ref('int_ticket') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

-- '' is the source's own series over all services
scoped as (
    select
        source_system,
        '' as service_code,
        opened_at
    from tickets
    union all
    select
        source_system,
        service_code,
        opened_at
    from tickets
    where service_code is not null
),

-- whole days only: the day of the first ticket and the day under way may be cut
spans as (
    select
        scoped.source_system,
        {{ add_days('cast(min(scoped.opened_at) as date)', 1) }} as first_on,
        {{ add_days('cast(run_context.as_of_at as date)', -1) }} as last_on
    from scoped
    cross join run_context
    group by scoped.source_system, run_context.as_of_at
),

series as (
    select distinct
        scoped.source_system,
        scoped.service_code,
        spans.first_on,
        spans.last_on
    from scoped
    inner join spans on scoped.source_system = spans.source_system
),

day_spine as (
    select
        source_system,
        service_code,
        {{ date_spine('first_on', 'last_on') }} as day_on
    from series
),

daily_counts as (
    select
        source_system,
        service_code,
        cast(opened_at as date) as opened_on,
        count(*) as ticket_count
    from scoped
    group by source_system, service_code, cast(opened_at as date)
),

daily as (
    select
        day_spine.source_system,
        day_spine.service_code,
        day_spine.day_on,
        coalesce(daily_counts.ticket_count, 0) as ticket_count
    from day_spine
    left join daily_counts
        on
            day_spine.source_system = daily_counts.source_system
            and day_spine.service_code = daily_counts.service_code
            and day_spine.day_on = daily_counts.opened_on
),

-- seven days around the day hold each weekday once
weekday_levels as (
    select
        source_system,
        service_code,
        {{ iso_weekday('day_on') }} as season_number,
        ticket_count,
        {{ mean_of('ticket_count') }} over around as level_count,
        count(*) over around as around_count
    from daily
    window
        around as (
            partition by source_system, service_code order by day_on rows between 3 preceding and 3 following
        )
),

-- tickets per day, so that long months do not look busy; whole months only
monthly as (
    select
        daily.source_system,
        daily.service_code,
        {{ month_start('daily.day_on') }} as month_on,
        {{ mean_of('daily.ticket_count') }} as daily_mean
    from daily
    inner join spans on daily.source_system = spans.source_system
    group by daily.source_system, daily.service_code, {{ month_start('daily.day_on') }}
    having
        count(*) = {{ day_count(
            month_start('daily.day_on'), add_months(month_start('daily.day_on'), 1)
        ) }}
),

-- two moving averages of twelve months in a row: thirteen months of which the ends count half
month_levels as (
    select
        source_system,
        service_code,
        month(month_on) as season_number,
        daily_mean,
        {{ float_ratio(
            'sum(daily_mean) over around - 0.5 * (lag(daily_mean, 6) over ordered + lead(daily_mean, 6) over ordered)',
            '12'
        ) }} as level_count,
        count(*) over around as around_count
    from monthly
    window
        ordered as (partition by source_system, service_code order by month_on),
        around as (
            partition by source_system, service_code order by month_on rows between 6 preceding and 6 following
        )
),

ratios as (
    select
        'weekday' as cycle_code,
        7 as season_count,
        source_system,
        service_code,
        season_number,
        {{ float_ratio('ticket_count', 'level_count') }} as level_ratio
    from weekday_levels
    where around_count = 7
    union all
    select
        'month_of_year' as cycle_code,
        12 as season_count,
        source_system,
        service_code,
        season_number,
        {{ float_ratio('daily_mean', 'level_count') }} as level_ratio
    from month_levels
    where around_count = 13
),

ratio_means as (
    select
        cycle_code,
        season_count,
        source_system,
        service_code,
        season_number,
        count(level_ratio) as observation_count,
        {{ mean_of('level_ratio') }} as mean_ratio
    from ratios
    group by cycle_code, season_count, source_system, service_code, season_number
),

hourly as (
    select
        scoped.source_system,
        scoped.service_code,
        {{ hour_of_day('scoped.opened_at') }} as season_number,
        count(*) as ticket_count
    from scoped
    inner join spans
        on
            scoped.source_system = spans.source_system
            and cast(scoped.opened_at as date) between spans.first_on and spans.last_on
    group by scoped.source_system, scoped.service_code, {{ hour_of_day('scoped.opened_at') }}
),

-- every season of every cycle stands there, measured or not
cycles as (
    select
        'weekday' as cycle_code,
        1 as first_number,
        7 as last_number,
        2 as minimum_count
    union all
    select
        'month_of_year' as cycle_code,
        1 as first_number,
        12 as last_number,
        2 as minimum_count
    union all
    select
        'hour_of_day' as cycle_code,
        0 as first_number,
        23 as last_number,
        240 as minimum_count
),

seasons as (
    select
        cycle_code,
        minimum_count,
        last_number - first_number + 1 as season_count,
        {{ number_spine('first_number', 'last_number') }} as season_number
    from cycles
),

placed as (
    select
        series.source_system,
        series.service_code,
        seasons.cycle_code,
        seasons.minimum_count,
        seasons.season_count,
        seasons.season_number,
        case
            when seasons.cycle_code = 'hour_of_day' then coalesce(hourly.ticket_count, 0)
            else coalesce(ratio_means.observation_count, 0)
        end as observation_count,
        case
            when seasons.cycle_code = 'hour_of_day' then {{ float_of('coalesce(hourly.ticket_count, 0)') }}
            else ratio_means.mean_ratio
        end as raw_index
    from series
    cross join seasons
    left join ratio_means
        on
            series.source_system = ratio_means.source_system
            and series.service_code = ratio_means.service_code
            and seasons.cycle_code = ratio_means.cycle_code
            and seasons.season_number = ratio_means.season_number
    left join hourly
        on
            series.source_system = hourly.source_system
            and series.service_code = hourly.service_code
            and seasons.season_number = hourly.season_number
            and seasons.cycle_code = 'hour_of_day'
),

-- moved so that the mean of a cycle's seasons is 1
judged as (
    select
        *,
        {{ float_ratio('raw_index * season_count', 'sum(raw_index) over cycle') }} as seasonal_factor,
        case
            when cycle_code = 'hour_of_day' then sum(observation_count) over cycle >= minimum_count
            else min(observation_count) over cycle >= minimum_count
        end as is_sufficient
    from placed
    window cycle as (partition by source_system, service_code, cycle_code)
),

final as (
    select
        cast(source_system as varchar) as source_system,
        cast(nullif(service_code, '') as varchar) as service_code,
        cast(cycle_code as varchar) as cycle_code,
        cast(season_number as integer) as season_number,
        cast(
            case when cycle_code = 'hour_of_day' then 'ratio_to_mean' else 'ratio_to_moving_average' end as varchar
        ) as method_code,
        cast(observation_count as bigint) as observation_count,
        {{ decimal_of('case when is_sufficient then seasonal_factor end') }} as seasonal_factor,
        cast(case when is_sufficient then 'ok' else 'insufficient_data' end as varchar) as index_status
    from judged
)

select * from final
