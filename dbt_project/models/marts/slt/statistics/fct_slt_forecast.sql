with tickets as (
    select * from {{ ref('fct_ticket_slt') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

started as (
    select
        slt_code,
        service_code,
        {{ month_start('start_at') }} as month_on,
        cast(null as boolean) as is_met,
        'ticket_count' as measure_code
    from tickets
    where slt_status <> 'invalid'
    union all
    select
        slt_code,
        service_code,
        {{ month_start('stop_at') }} as month_on,
        slt_status in ('met', 'within_tolerance') as is_met,
        'attainment_share' as measure_code
    from tickets
    where stop_at is not null and slt_status in ('met', 'within_tolerance', 'breached')
),

-- '' is the SLT's own series over all services
scoped as (
    select
        slt_code,
        '' as service_code,
        month_on,
        is_met,
        measure_code
    from started
    union all
    select
        slt_code,
        service_code,
        month_on,
        is_met,
        measure_code
    from started
    where service_code is not null
),

-- the first month counts when its first week is there; the month under way never does
spans as (
    select
        tickets.slt_code,
        {{ month_start(add_months(add_days('cast(min(tickets.start_at) as date)', -7), 1)) }} as first_month_on,
        {{ add_months(month_start('cast(run_context.as_of_at as date)'), -1) }} as last_month_on
    from tickets
    cross join run_context
    group by tickets.slt_code, run_context.as_of_at
),

series as (
    select distinct
        scoped.slt_code,
        scoped.service_code,
        scoped.measure_code,
        spans.first_month_on,
        spans.last_month_on
    from scoped
    inner join spans on scoped.slt_code = spans.slt_code
    where spans.first_month_on <= spans.last_month_on
),

day_spine as (
    select
        slt_code,
        service_code,
        measure_code,
        {{ date_spine('first_month_on', 'last_month_on') }} as day_on
    from series
),

month_spine as (
    select *
    from day_spine
    where day_on = {{ month_start('day_on') }}
),

monthly_counts as (
    select
        slt_code,
        service_code,
        measure_code,
        month_on,
        count(*) as ticket_count,
        sum(case when is_met then 1 else 0 end) as met_count
    from scoped
    group by slt_code, service_code, measure_code, month_on
),

points as (
    select
        month_spine.slt_code,
        month_spine.service_code,
        month_spine.measure_code,
        month_spine.day_on as month_on,
        row_number() over (
            partition by month_spine.slt_code, month_spine.service_code, month_spine.measure_code
            order by month_spine.day_on
        ) as place_number,
        coalesce(monthly_counts.ticket_count, 0) as ticket_count,
        case
            when month_spine.measure_code = 'ticket_count'
                then {{ float_of('coalesce(monthly_counts.ticket_count, 0)') }}
            else {{ float_ratio('monthly_counts.met_count', 'monthly_counts.ticket_count') }}
        end as observed
    from month_spine
    left join monthly_counts
        on
            month_spine.slt_code = monthly_counts.slt_code
            and month_spine.service_code = monthly_counts.service_code
            and month_spine.measure_code = monthly_counts.measure_code
            and month_spine.day_on = monthly_counts.month_on
),

-- what was known at the end of each month
known as (
    select
        *,
        {{ mean_of('observed') }} over so_far as mean_so_far,
        {{ float_ratio('observed - first_value(observed) over so_far', 'place_number - 1') }} as drift_so_far,
        count(*) over whole as month_count,
        min(ticket_count) over whole as smallest_count
    from points
    window
        so_far as (
            partition by slt_code, service_code, measure_code
            order by place_number rows between unbounded preceding and current row
        ),
        whole as (partition by slt_code, service_code, measure_code)
),

-- the last month gives the forecast, the six before it the backtest
origins as (
    select
        *,
        {{ number_spine(1, 3) }} as horizon_number
    from known
    where place_number >= month_count - 6 and place_number >= 2
),

predicted as (
    select
        origins.*,
        seasonal.observed as same_month_observed,
        actual.observed as actual_observed
    from origins
    left join points as seasonal
        on
            origins.slt_code = seasonal.slt_code
            and origins.service_code = seasonal.service_code
            and origins.measure_code = seasonal.measure_code
            and origins.place_number + origins.horizon_number - 12 = seasonal.place_number
    left join points as actual
        on
            origins.slt_code = actual.slt_code
            and origins.service_code = actual.service_code
            and origins.measure_code = actual.measure_code
            and origins.place_number + origins.horizon_number = actual.place_number
),

-- one row per method
candidates as (
    select
        'mean' as method_code,
        1 as method_rank,
        mean_so_far as forecast,
        *
    from predicted
    union all
    select
        'drift' as method_code,
        2 as method_rank,
        observed + horizon_number * drift_so_far as forecast,
        *
    from predicted
    union all
    select
        'seasonal_naive' as method_code,
        3 as method_rank,
        same_month_observed as forecast,
        *
    from predicted
),

backtests as (
    select
        slt_code,
        service_code,
        measure_code,
        method_code,
        method_rank,
        count(*) as backtest_count,
        {{ mean_of('abs(forecast - actual_observed)') }} as mean_error,
        {{ float_ratio('sum(abs(forecast - actual_observed))', 'sum(abs(actual_observed))') }} as error_ratio
    from candidates
    where forecast is not null and actual_observed is not null and place_number < month_count
    group by slt_code, service_code, measure_code, method_code, method_rank
),

-- a method that could be tried less often has not been compared
chosen as (
    select *
    from backtests
    qualify row_number() over (
            partition by slt_code, service_code, measure_code
            order by backtest_count desc, mean_error asc, method_rank asc
        ) = 1
),

-- residuals of the whole series: variance of each method as Hyndman and Athanasopoulos, 5.5, have it
last_known as (
    select *
    from known
    where place_number = month_count
),

differences as (
    select
        points.slt_code,
        points.service_code,
        points.measure_code,
        last_known.month_count,
        points.observed - last_known.mean_so_far as mean_residual,
        points.observed
        - lag(points.observed) over ordered
        - last_known.drift_so_far as drift_residual,
        points.observed - lag(points.observed, 12) over ordered as seasonal_residual
    from points
    inner join last_known
        on
            points.slt_code = last_known.slt_code
            and points.service_code = last_known.service_code
            and points.measure_code = last_known.measure_code
    window
        ordered as (
            partition by points.slt_code, points.service_code, points.measure_code order by points.place_number
        )
),

spreads as (
    select
        slt_code,
        service_code,
        measure_code,
        {{ square_root(float_ratio('sum(mean_residual * mean_residual)', 'month_count - 1')) }} as mean_sigma,
        {{ square_root(float_ratio('sum(drift_residual * drift_residual)', 'month_count - 2')) }} as drift_sigma,
        {{ square_root(
            float_ratio('sum(seasonal_residual * seasonal_residual)', 'count(seasonal_residual)')
        ) }} as seasonal_sigma
    from differences
    group by slt_code, service_code, measure_code, month_count
),

forecasts as (
    select
        last_points.slt_code,
        last_points.service_code,
        last_points.measure_code,
        last_points.month_count,
        last_points.smallest_count,
        {{ add_months('last_points.month_on', 'last_points.horizon_number') }} as forecast_month,
        last_points.horizon_number,
        chosen.method_code,
        chosen.backtest_count,
        chosen.mean_error,
        chosen.error_ratio,
        last_points.forecast,
        case chosen.method_code
            when 'mean'
                then spreads.mean_sigma * {{ square_root('1 + ' ~ float_ratio('1', 'last_points.month_count')) }}
            when 'drift'
                then spreads.drift_sigma * {{ square_root(
                    'last_points.horizon_number * (1 + '
                    ~ float_ratio('last_points.horizon_number', 'last_points.month_count - 1') ~ ')'
                ) }}
            else spreads.seasonal_sigma
        end as sigma
    from candidates as last_points
    inner join chosen
        on
            last_points.slt_code = chosen.slt_code
            and last_points.service_code = chosen.service_code
            and last_points.measure_code = chosen.measure_code
            and last_points.method_code = chosen.method_code
    inner join spreads
        on
            last_points.slt_code = spreads.slt_code
            and last_points.service_code = spreads.service_code
            and last_points.measure_code = spreads.measure_code
    where last_points.place_number = last_points.month_count
),

-- every series stands there, forecast or not
horizons as (
    select
        last_known.slt_code,
        last_known.service_code,
        last_known.measure_code,
        last_known.month_on,
        last_known.month_count,
        last_known.smallest_count,
        {{ number_spine(1, 3) }} as horizon_number
    from last_known
),

judged as (
    select
        horizons.slt_code,
        horizons.service_code,
        horizons.measure_code,
        horizons.horizon_number,
        horizons.month_count,
        {{ add_months('horizons.month_on', 'horizons.horizon_number') }} as forecast_month,
        forecasts.method_code,
        forecasts.backtest_count,
        forecasts.mean_error,
        forecasts.error_ratio,
        forecasts.forecast,
        forecasts.sigma,
        horizons.month_count >= 12
        and forecasts.sigma is not null
        and forecasts.forecast is not null
        and (horizons.measure_code = 'ticket_count' or horizons.smallest_count >= 20) as is_sufficient
    from horizons
    left join forecasts
        on
            horizons.slt_code = forecasts.slt_code
            and horizons.service_code = forecasts.service_code
            and horizons.measure_code = forecasts.measure_code
            and horizons.horizon_number = forecasts.horizon_number
),

bounded as (
    select
        *,
        case when measure_code = 'attainment_share' then 1 end as ceiling,
        forecast - 1.959964 * sigma as lower_limit,
        forecast + 1.959964 * sigma as upper_limit
    from judged
),

final as (
    select
        cast(slt_code as varchar) as slt_code,
        cast(nullif(service_code, '') as varchar) as service_code,
        cast(measure_code as varchar) as measure_code,
        cast(case when measure_code = 'ticket_count' then 'tickets' else 'share' end as varchar) as unit_code,
        cast(forecast_month as date) as forecast_month,
        cast(horizon_number as integer) as horizon_months,
        cast(month_count as bigint) as history_month_count,
        cast(case when is_sufficient then method_code end as varchar) as method_code,
        {{ decimal_of(
            'case when not is_sufficient then null when forecast < 0 then 0 when forecast > ceiling then ceiling '
            ~ 'else forecast end'
        ) }} as forecast_value,
        {{ decimal_of(
            'case when not is_sufficient then null when lower_limit < 0 then 0 when lower_limit > ceiling '
            ~ 'then ceiling else lower_limit end'
        ) }} as lower_limit_value,
        {{ decimal_of(
            'case when not is_sufficient then null when upper_limit > ceiling then ceiling else upper_limit end'
        ) }} as upper_limit_value,
        cast(case when is_sufficient then backtest_count end as bigint) as backtest_count,
        {{ decimal_of('case when is_sufficient then mean_error end') }} as backtest_error_value,
        {{ decimal_of('case when is_sufficient then error_ratio end') }} as backtest_error_share,
        cast(case when is_sufficient then 'ok' else 'insufficient_data' end as varchar) as forecast_status
    from bounded
)

select * from final
