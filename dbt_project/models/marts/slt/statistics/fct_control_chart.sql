with tickets as (
    select * from {{ ref('fct_ticket_slt') }}
),

baselines as (
    select * from {{ ref('control_chart_baseline') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

-- tickets without a service count in the SLT's own series alone; '' is that series
settled as (
    select
        slt_code,
        service_code,
        {{ week_start('stop_at') }} as week_start_on,
        net_seconds,
        slt_status in ('met', 'within_tolerance') as is_met
    from tickets
    where stop_at is not null and slt_status in ('met', 'within_tolerance', 'breached')
),

scoped as (
    select
        slt_code,
        '' as service_code,
        week_start_on,
        net_seconds,
        is_met
    from settled
    union all
    select
        slt_code,
        service_code,
        week_start_on,
        net_seconds,
        is_met
    from settled
    where service_code is not null
),

weekly as (
    select
        slt_code,
        service_code,
        week_start_on,
        count(*) as ticket_count,
        sum(case when is_met then 1 else 0 end) as met_count,
        {{ median_of('net_seconds') }} as median_net_seconds,
        {{ mean_of('net_seconds') }} as mean_net_seconds
    from scoped
    group by slt_code, service_code, week_start_on
),

-- a week still under way has not met its tickets yet
complete as (
    select weekly.*
    from weekly
    cross join run_context
    where cast({{ add_days('weekly.week_start_on', 7) }} as timestamp) <= run_context.as_of_at
),

-- the baseline of the service itself beats the SLT's general one
charted as (
    select
        complete.*,
        baselines.chart_kind,
        baselines.statistic_code,
        baselines.baseline_from,
        baselines.baseline_to,
        baselines.minimum_week_count,
        complete.ticket_count < baselines.minimum_ticket_count as is_low_volume,
        case baselines.statistic_code
            when 'median_net_seconds' then complete.median_net_seconds
            when 'mean_net_seconds' then complete.mean_net_seconds
            else {{ float_ratio('complete.met_count', 'complete.ticket_count') }}
        end as observed
    from complete
    inner join baselines
        on
            complete.slt_code = baselines.slt_code
            and coalesce(baselines.service_code, '') in ('', complete.service_code)
    qualify row_number() over (
            partition by
                complete.slt_code, complete.service_code, complete.week_start_on,
                baselines.chart_kind, baselines.statistic_code
            order by length(coalesce(baselines.service_code, '')) desc
        ) = 1
),

-- moving ranges and runs go from one week with enough tickets to the next
ranged as (
    select
        *,
        not is_low_volume and week_start_on between baseline_from and baseline_to as is_baseline,
        case when not is_low_volume then abs(observed - lag(observed) over series) end as moving_range,
        lag(week_start_on) over series as previous_week_start_on
    from charted
    window
        series as (
            partition by slt_code, service_code, chart_kind, statistic_code, is_low_volume order by week_start_on
        )
),

centred as (
    select
        *,
        sum(case when is_baseline then 1 else 0 end) over series as baseline_week_count,
        case
            when chart_kind = 'proportion'
                then {{ float_ratio(
                    'sum(case when is_baseline then met_count end) over series',
                    'sum(case when is_baseline then ticket_count end) over series'
                ) }}
            else {{ mean_of('case when is_baseline then observed end') }} over series
        end as centre,
        case
            when chart_kind = 'individuals'
                then {{ mean_of(
                    'case when is_baseline and previous_week_start_on >= baseline_from then moving_range end'
                ) }} over series
        end as mean_moving_range
    from ranged
    window series as (partition by slt_code, service_code, chart_kind, statistic_code)
),

-- 1.128 is the expected range of two normal values in sigmas, so that 3 sigma is 2.66 mean moving ranges
scaled as (
    select
        *,
        case
            when chart_kind = 'proportion'
                then {{ square_root(float_ratio('centre * (1 - centre)', 'ticket_count')) }}
            else {{ float_ratio('mean_moving_range', '1.128') }}
        end as sigma
    from centred
),

limited as (
    select
        *,
        not is_low_volume
        and baseline_week_count >= minimum_week_count
        and sigma is not null as is_judged
    from scaled
),

zoned as (
    select
        *,
        case
            when is_judged then cast(sign(observed - centre) as integer) * case
                    when abs(observed - centre) > 3 * sigma then 3
                    when abs(observed - centre) > 2 * sigma then 2
                    when abs(observed - centre) > sigma then 1
                    else 0
                end
        end as zone_number,
        case when is_judged then cast(sign(observed - centre) as integer) end as side
    from limited
),

counted as (
    select
        *,
        sum(case when zone_number >= 2 then 1 else 0 end) over last_three as upper_two_count,
        sum(case when zone_number <= -2 then 1 else 0 end) over last_three as lower_two_count,
        sum(case when zone_number >= 1 then 1 else 0 end) over last_five as upper_one_count,
        sum(case when zone_number <= -1 then 1 else 0 end) over last_five as lower_one_count,
        sum(case when side = 1 then 1 else 0 end) over last_eight as upper_count,
        sum(case when side = -1 then 1 else 0 end) over last_eight as lower_count
    from zoned
    window
        last_three as (
            partition by slt_code, service_code, chart_kind, statistic_code, is_judged
            order by week_start_on rows between 2 preceding and current row
        ),
        last_five as (
            partition by slt_code, service_code, chart_kind, statistic_code, is_judged
            order by week_start_on rows between 4 preceding and current row
        ),
        last_eight as (
            partition by slt_code, service_code, chart_kind, statistic_code, is_judged
            order by week_start_on rows between 7 preceding and current row
        )
),

ruled as (
    select
        *,
        coalesce(abs(zone_number) = 3, false) as is_beyond_limits,
        coalesce(
            (zone_number >= 2 and upper_two_count >= 2) or (zone_number <= -2 and lower_two_count >= 2), false
        ) as has_two_of_three,
        coalesce(
            (zone_number >= 1 and upper_one_count >= 4) or (zone_number <= -1 and lower_one_count >= 4), false
        ) as has_four_of_five,
        coalesce(upper_count = 8 or lower_count = 8, false) and is_judged as has_eight_on_one_side
    from counted
),

final as (
    select
        cast(slt_code as varchar) as slt_code,
        cast(nullif(service_code, '') as varchar) as service_code,
        cast(chart_kind as varchar) as chart_kind,
        cast(statistic_code as varchar) as statistic_code,
        cast(case when chart_kind = 'proportion' then 'share' else 'seconds' end as varchar) as unit_code,
        cast(week_start_on as date) as week_start_on,
        cast(ticket_count as bigint) as ticket_count,
        cast(met_count as bigint) as met_count,
        {{ decimal_of('observed') }} as observed_value,
        {{ decimal_of('moving_range') }} as moving_range_value,
        cast(baseline_from as date) as baseline_from_on,
        cast(baseline_to as date) as baseline_to_on,
        cast(baseline_week_count as bigint) as baseline_week_count,
        cast(is_baseline as boolean) as is_baseline,
        {{ decimal_of('centre') }} as centre_value,
        {{ decimal_of('sigma') }} as sigma_value,
        {{ decimal_of('case when centre > 3 * sigma then centre - 3 * sigma else 0 * sigma end') }}
            as lower_limit_value,
        {{ decimal_of(
            "case when chart_kind = 'proportion' and centre + 3 * sigma > 1 then 1 else centre + 3 * sigma end"
        ) }} as upper_limit_value,
        {{ decimal_of('3.267 * mean_moving_range') }} as moving_range_limit_value,
        cast(coalesce(is_judged and moving_range > 3.267 * mean_moving_range, false) as boolean)
            as is_moving_range_beyond_limit,
        cast(is_low_volume as boolean) as is_low_volume,
        cast(zone_number as integer) as zone_number,
        cast(is_beyond_limits as boolean) as is_beyond_limits,
        cast(has_two_of_three as boolean) as has_two_of_three,
        cast(has_four_of_five as boolean) as has_four_of_five,
        cast(has_eight_on_one_side as boolean) as has_eight_on_one_side,
        cast(
            case
                when is_low_volume then 'low_volume'
                when not is_judged then 'no_baseline'
                when not (is_beyond_limits or has_two_of_three or has_four_of_five or has_eight_on_one_side)
                    then 'in_control'
                when (side = 1) = (chart_kind = 'proportion') then 'signal_better'
                else 'signal_worse'
            end as varchar
        ) as point_status
    from ruled
)

select * from final
