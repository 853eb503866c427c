with tickets as (
    select * from {{ ref('int_ticket') }}
),

charts as (
    select * from {{ ref('fct_control_chart') }}
    where statistic_code = 'median_net_seconds' and not is_low_volume
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

scoped as (
    select
        source_system,
        '' as service_code,
        cast(opened_at as date) as opened_on
    from tickets
    union all
    select
        source_system,
        service_code,
        cast(opened_at as date) as opened_on
    from tickets
    where service_code is not null
),

spans as (
    select
        scoped.source_system,
        {{ add_days('min(scoped.opened_on)', 1) }} as first_on,
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
        opened_on,
        count(*) as ticket_count
    from scoped
    group by source_system, service_code, opened_on
),

-- a Monday is compared with Mondays, a week with weeks: season_number parts the series
observed as (
    select
        'ticket_count' as measure_code,
        day_spine.source_system as series_code,
        day_spine.service_code,
        day_spine.day_on as period_start_on,
        {{ iso_weekday('day_spine.day_on') }} as season_number,
        {{ float_of('coalesce(daily_counts.ticket_count, 0)') }} as observed
    from day_spine
    left join daily_counts
        on
            day_spine.source_system = daily_counts.source_system
            and day_spine.service_code = daily_counts.service_code
            and day_spine.day_on = daily_counts.opened_on
    union all
    select
        'median_net_seconds' as measure_code,
        slt_code as series_code,
        coalesce(service_code, '') as service_code,
        week_start_on as period_start_on,
        0 as season_number,
        {{ float_of('observed_value') }} as observed
    from charts
),

numbered as (
    select
        *,
        row_number() over (
            partition by measure_code, series_code, service_code, season_number order by period_start_on
        ) as place_number
    from observed
),

-- the eight before it, never itself: an outlier must not pull its own yardstick
windows as (
    select
        numbered.measure_code,
        numbered.series_code,
        numbered.service_code,
        numbered.season_number,
        numbered.place_number,
        earlier.observed as earlier_observed
    from numbered
    inner join numbered as earlier
        on
            numbered.measure_code = earlier.measure_code
            and numbered.series_code = earlier.series_code
            and numbered.service_code = earlier.service_code
            and numbered.season_number = earlier.season_number
            and earlier.place_number between numbered.place_number - 8 and numbered.place_number - 1
),

centres as (
    select
        measure_code,
        series_code,
        service_code,
        season_number,
        place_number,
        count(*) as window_count,
        {{ median_of('earlier_observed') }} as baseline
    from windows
    group by measure_code, series_code, service_code, season_number, place_number
),

spreads as (
    select
        windows.measure_code,
        windows.series_code,
        windows.service_code,
        windows.season_number,
        windows.place_number,
        {{ median_of('abs(windows.earlier_observed - centres.baseline)') }} as median_deviation,
        {{ mean_of('abs(windows.earlier_observed - centres.baseline)') }} as mean_deviation
    from windows
    inner join centres
        on
            windows.measure_code = centres.measure_code
            and windows.series_code = centres.series_code
            and windows.service_code = centres.service_code
            and windows.season_number = centres.season_number
            and windows.place_number = centres.place_number
    group by
        windows.measure_code, windows.series_code, windows.service_code, windows.season_number,
        windows.place_number
),

compared as (
    select
        numbered.measure_code,
        numbered.series_code,
        numbered.service_code,
        numbered.period_start_on,
        numbered.season_number,
        numbered.observed,
        coalesce(centres.window_count, 0) as window_count,
        centres.baseline,
        spreads.median_deviation,
        case
            -- a count varies at least as much as chance makes it
            when
                numbered.measure_code = 'ticket_count'
                then greatest(
                        1.4826 * spreads.median_deviation,
                        {{ square_root('case when centres.baseline > 1 then centres.baseline else 1 end') }}
                    )
            when spreads.median_deviation > 0 then 1.4826 * spreads.median_deviation
            else 1.253314 * spreads.mean_deviation
        end as sigma
    from numbered
    left join centres
        on
            numbered.measure_code = centres.measure_code
            and numbered.series_code = centres.series_code
            and numbered.service_code = centres.service_code
            and numbered.season_number = centres.season_number
            and numbered.place_number = centres.place_number
    left join spreads
        on
            numbered.measure_code = spreads.measure_code
            and numbered.series_code = spreads.series_code
            and numbered.service_code = spreads.service_code
            and numbered.season_number = spreads.season_number
            and numbered.place_number = spreads.place_number
),

judged as (
    select
        *,
        case
            when window_count < 6 then 'insufficient_data'
            when sigma > 0 then 'ok'
            else 'no_variation'
        end as baseline_status
    from compared
),

final as (
    select
        cast(measure_code as varchar) as measure_code,
        cast(case when measure_code = 'ticket_count' then 'tickets' else 'seconds' end as varchar) as unit_code,
        cast(series_code as varchar) as series_code,
        cast(nullif(service_code, '') as varchar) as service_code,
        cast(period_start_on as date) as period_start_on,
        cast(case when measure_code = 'ticket_count' then 'day' else 'week' end as varchar) as period_grain,
        cast(season_number as integer) as season_number,
        {{ decimal_of('observed') }} as observed_value,
        cast(window_count as bigint) as window_count,
        {{ decimal_of("case when baseline_status <> 'insufficient_data' then baseline end") }} as baseline_value,
        {{ decimal_of("case when baseline_status <> 'insufficient_data' then median_deviation end") }}
            as median_deviation_value,
        {{ decimal_of(
            "case when baseline_status = 'ok' then case when baseline > 3.5 * sigma then baseline - 3.5 * sigma "
            ~ "else 0 end end"
        ) }} as lower_limit_value,
        {{ decimal_of("case when baseline_status = 'ok' then baseline + 3.5 * sigma end") }} as upper_limit_value,
        {{ decimal_of(
            "case when baseline_status = 'ok' then " ~ float_ratio('observed - baseline', 'sigma') ~ " end"
        ) }} as deviation_factor,
        cast(
            coalesce(baseline_status = 'ok' and abs(observed - baseline) > 3.5 * sigma, false) as boolean
        ) as is_anomaly,
        cast(baseline_status as varchar) as baseline_status
    from judged
)

select * from final
