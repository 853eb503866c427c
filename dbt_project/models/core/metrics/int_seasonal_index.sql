-- Month-of-year index of every metric that is adjusted for seasons, by the method of fct_seasonal_index: ratio to the
-- centred moving average of twelve months, averaged per month of the year, moved so that the mean is 1. Taken over all
-- entities of a type at a time, so that no entity's own trouble becomes its season.
with metric_sum as (
    select * from {{ ref('int_metric_sum') }}
),

metric_definition as (
    select * from {{ ref('int_metric_definition') }}
    where seasonality_policy = 'ratio_to_moving_average'
),

metric_period as (
    select * from {{ ref('int_metric_period') }}
    where is_in_force and is_complete and period_grain = 'month'
),

monthly as (
    select
        metric_sum.metric_code,
        metric_sum.entity_type,
        metric_sum.month_on,
        {{ float_ratio(
            'sum(metric_sum.numerator) * max(metric_definition.value_multiplier)',
            "sum(case when metric_definition.denominator_measure is null then metric_sum.observation_count "
            ~ "else metric_sum.denominator end) * max(metric_definition.value_divisor)"
        ) }} as level_value
    from metric_sum
    inner join metric_definition
        on
            metric_sum.metric_code = metric_definition.metric_code
            and metric_sum.metric_version = metric_definition.metric_version
    inner join metric_period
        on
            metric_sum.metric_code = metric_period.metric_code
            and metric_sum.metric_version = metric_period.metric_version
            and metric_sum.month_on = metric_period.period_start_on
    group by metric_sum.metric_code, metric_sum.entity_type, metric_sum.month_on
),

-- a month that is missing in between would shift the window: such a window is left out by its span
moved as (
    select
        metric_code,
        entity_type,
        month_on,
        level_value,
        {{ float_ratio(
            'sum(level_value) over around - 0.5 * (lag(level_value, 6) over ordered + lead(level_value, 6) over ordered)',
            '12'
        ) }} as around_value,
        lag(month_on, 6) over ordered = {{ add_months('month_on', -6) }}
        and lead(month_on, 6) over ordered = {{ add_months('month_on', 6) }}
        and count(level_value) over around = 13 as is_whole
    from monthly
    window
        ordered as (partition by metric_code, entity_type order by month_on),
        around as (
            partition by metric_code, entity_type order by month_on rows between 6 preceding and 6 following
        )
),

season as (
    select
        metric_code,
        entity_type,
        {{ number_spine('1', '12') }} as season_number
    from (
        select distinct
            metric_code,
            entity_type
        from monthly
    ) as series
),

season_mean as (
    select
        season.metric_code,
        season.entity_type,
        season.season_number,
        count(moved.month_on) as observation_count,
        {{ mean_of(float_ratio('moved.level_value', 'moved.around_value')) }} as mean_ratio
    from season
    left join moved
        on
            season.metric_code = moved.metric_code
            and season.entity_type = moved.entity_type
            and season.season_number = month(moved.month_on)
            and moved.is_whole
    group by season.metric_code, season.entity_type, season.season_number
),

judged as (
    select
        *,
        {{ float_ratio('mean_ratio * 12', 'sum(mean_ratio) over cycle') }} as season_factor,
        -- what fct_seasonal_index asks for: each month of the year seen twice
        min(observation_count) over cycle >= 2 and count(mean_ratio) over cycle = 12 as is_sufficient
    from season_mean
    window cycle as (partition by metric_code, entity_type)
),

final as (
    select
        metric_code,
        entity_type,
        season_number,
        observation_count,
        {{ decimal_of('case when is_sufficient and season_factor > 0 then season_factor end') }} as seasonal_factor,
        case when is_sufficient and season_factor > 0 then 'ok' else 'insufficient_data' end as index_status
    from judged
)

select * from final
