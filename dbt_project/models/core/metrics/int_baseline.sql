-- Baseline of every metric per entity and calendar year: what it was in the year before, drawn towards the mean of its
-- entity type the less, the longer the entity has been measured (metric_maturity). A new system is so not held to its
-- first weeks, an old one is held to its own year.
with metric_sum as (
    select * from {{ ref('int_metric_sum') }}
),

metric_period as (
    select * from {{ ref('int_metric_period') }}
    where is_in_force and is_complete and period_grain = 'month'
),

metric_definition as (
    select * from {{ ref('int_metric_definition') }}
    where aggregation_kind <> 'sum'
),

metric_maturity as (
    select * from {{ ref('metric_maturity') }}
),

monthly as (
    select
        metric_sum.metric_code,
        metric_sum.entity_type,
        metric_sum.entity_code,
        metric_sum.month_on,
        year(metric_sum.month_on) + 1 as baseline_year_number,
        metric_definition.value_multiplier,
        metric_definition.value_divisor,
        sum(metric_sum.numerator) as numerator,
        sum(metric_sum.denominator) as denominator
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
    group by
        metric_sum.metric_code, metric_sum.entity_type, metric_sum.entity_code, metric_sum.month_on,
        metric_definition.value_multiplier, metric_definition.value_divisor
),

first_measured as (
    select
        metric_code,
        entity_type,
        entity_code,
        min(month_on) as first_month_on
    from monthly
    where denominator > 0
    group by metric_code, entity_type, entity_code
),

-- a scale that changed with the version is taken from the year's last month
yearly as (
    select
        metric_code,
        entity_type,
        entity_code,
        baseline_year_number,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        max_by(value_multiplier, month_on) as value_multiplier,
        max_by(value_divisor, month_on) as value_divisor
    from monthly
    where denominator > 0
    group by metric_code, entity_type, entity_code, baseline_year_number
),

pooled as (
    select
        *,
        sum(numerator) over peers as pool_numerator,
        sum(denominator) over peers as pool_denominator
    from yearly
    window peers as (partition by metric_code, entity_type, baseline_year_number)
),

aged as (
    select
        pooled.*,
        first_measured.first_month_on,
        12 * (pooled.baseline_year_number - year(first_measured.first_month_on))
        - month(first_measured.first_month_on) + 1 as measured_month_count
    from pooled
    inner join first_measured
        on
            pooled.metric_code = first_measured.metric_code
            and pooled.entity_type = first_measured.entity_type
            and pooled.entity_code = first_measured.entity_code
),

matured as (
    select
        aged.*,
        metric_maturity.maturity_code,
        metric_maturity.prior_month_count,
        {{ metric_units('aged.numerator', 'aged.denominator') }} as own_units,
        {{ metric_units('aged.pool_numerator', 'aged.pool_denominator') }} as mean_units,
        row_number() over (
            partition by aged.metric_code, aged.entity_type, aged.entity_code, aged.baseline_year_number
            order by metric_maturity.from_month_count desc
        ) as maturity_rank
    from aged
    inner join metric_maturity on aged.measured_month_count >= metric_maturity.from_month_count
),

final as (
    select
        metric_code,
        entity_type,
        entity_code,
        baseline_year_number,
        maturity_code,
        measured_month_count,
        {{ metric_decimal('own_units') }} as own_value,
        {{ metric_decimal('mean_units') }} as peer_value,
        {{ round_half_up_ratio('measured_month_count', 'measured_month_count + prior_month_count', 6) }}
            as own_weight_share,
        {{ metric_decimal(metric_shrunk('own_units', 'mean_units', 'measured_month_count', 'prior_month_count')) }}
            as baseline_value
    from matured
    where maturity_rank = 1
)

select * from final
