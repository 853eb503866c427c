-- Every calendar month and quarter (UTC) that any metric definition can be in force for, up to the last one
-- that has begun before the as-of instant. Whole quarters are covered, so a quarter's months are always all
-- there.
with recursive
run_context as (
    select * from {{ ref('int_run_context') }}
),

metric_definition as (
    select * from {{ ref('metric_definition') }}
),

bounds as (
    select
        run_context.as_of_at,
        {{ quarter_start('min(metric_definition.effective_from)') }} as first_on
    from metric_definition
    cross join run_context
    group by run_context.as_of_at
),

month_spine as (
    select
        bounds.first_on as month_on,
        bounds.as_of_at
    from bounds
    where cast(bounds.first_on as timestamp) < bounds.as_of_at

    union all

    select
        {{ add_months('month_spine.month_on', 1) }} as month_on,
        month_spine.as_of_at
    from month_spine
    where cast({{ add_months('month_spine.month_on', 1) }} as timestamp) < month_spine.as_of_at
),

period as (
    select
        'month' as period_grain,
        {{ month_code('month_on') }} as period_code,
        month_on as period_start_on,
        {{ add_months('month_on', 1) }} as period_end_on,
        as_of_at
    from month_spine

    union all

    select
        'quarter' as period_grain,
        {{ quarter_code('month_on') }} as period_code,
        month_on as period_start_on,
        {{ add_months('month_on', 3) }} as period_end_on,
        as_of_at
    from month_spine
    where month_on = {{ quarter_start('month_on') }}
),

final as (
    select
        period_grain,
        period_code,
        period_start_on,
        period_end_on,
        cast({{ day_count('period_start_on', 'period_end_on') }} as integer) as period_days,
        cast(period_end_on as timestamp) <= as_of_at as is_complete
    from period
)

select * from final
