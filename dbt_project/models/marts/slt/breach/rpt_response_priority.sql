with attainments as (
    select * from {{ ref('fct_slt_attainment') }}
),

policies as (
    select * from {{ ref('trend_policy') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

-- months of the window by their place in it, 1 the oldest; as many as the policy of the phase says, all of them over
placed as (
    select
        attainments.scope_type,
        attainments.scope_code,
        attainments.slt_code,
        attainments.phase,
        attainments.result_count,
        attainments.breached_count,
        attainments.result_weight,
        policies.trend_month_count,
        policies.recent_month_count,
        policies.minimum_month_count,
        policies.minimum_result_count,
        policies.worsening_slope_share,
        policies.minimum_z_factor,
        12 * (year(attainments.period_month) - year(run_context.as_of_at))
        + month(attainments.period_month) - month(run_context.as_of_at)
        + policies.trend_month_count + 1 as month_number
    from attainments
    inner join policies on attainments.phase = policies.phase
    cross join run_context
),

-- breach share of a month in units of 10^-6; a month with too few results has none
windowed as (
    select
        *,
        month_number > trend_month_count - recent_month_count as is_recent,
        case
            when result_count >= minimum_result_count
                then {{ round_half_up_integer(exact_integer('breached_count') ~ ' * 1000000', 'result_count') }}
        end as breach_units
    from placed
    where month_number between 1 and trend_month_count
),

summed as (
    select
        scope_type,
        scope_code,
        slt_code,
        phase,
        trend_month_count,
        recent_month_count,
        minimum_month_count,
        worsening_slope_share,
        minimum_z_factor,
        count(breach_units) as month_count,
        sum(case when breach_units is not null then month_number end) as sum_x,
        sum(breach_units) as sum_y,
        sum(case when breach_units is not null then month_number * month_number end) as sum_xx,
        sum(month_number * breach_units) as sum_xy,
        sum(case when is_recent then result_count else 0 end) as recent_result_count,
        sum(case when is_recent then breached_count else 0 end) as recent_breached_count,
        sum(case when is_recent then 0 else result_count end) as earlier_result_count,
        sum(case when is_recent then 0 else breached_count end) as earlier_breached_count,
        sum(case when is_recent then result_weight else 0 end) as recent_result_weight
    from windowed
    group by
        scope_type, scope_code, slt_code, phase, trend_month_count, recent_month_count, minimum_month_count,
        worsening_slope_share, minimum_z_factor
),

-- least squares in whole numbers: slope = slope_part / spread
fitted as (
    select
        *,
        month_count * sum_xx - sum_x * sum_x as spread,
        month_count * sum_xy - sum_x * sum_y as slope_part
    from summed
),

projected as (
    select
        *,
        {{ round_half_up_integer('slope_part', 'spread') }} as slope_units,
        {{ round_half_up_integer(
            'sum_y * spread + slope_part * (month_count * (trend_month_count + 1) - sum_x)', 'month_count * spread'
        ) }} as projected_units,
        {{ round_half_up_ratio('recent_breached_count', 'recent_result_count', 6) }} as recent_breach_share,
        {{ round_half_up_ratio('earlier_breached_count', 'earlier_result_count', 6) }} as earlier_breach_share,
        -- two-sample test of shares, z squared and multiplied out: no root, no quotient
        {{ exact_integer('10000') }} * (recent_result_count + earlier_result_count)
        * (recent_breached_count * earlier_result_count - earlier_breached_count * recent_result_count)
        * (recent_breached_count * earlier_result_count - earlier_breached_count * recent_result_count)
        >= {{ integer_units('minimum_z_factor', 2) }} * {{ integer_units('minimum_z_factor', 2) }}
        * recent_result_count * earlier_result_count
        * (recent_breached_count + earlier_breached_count)
        * (
            recent_result_count + earlier_result_count - recent_breached_count - earlier_breached_count
        ) as is_change_clear,
        month_count >= minimum_month_count as has_enough_months
    from fitted
),

shared as (
    select
        *,
        {{ from_integer_units('slope_units', 6) }} as slope_share,
        {{ from_integer_units('greatest(0, least(1000000, projected_units))', 6) }} as projected_breach_share
    from projected
    where has_enough_months
),

judged as (
    select
        projected.scope_type,
        projected.scope_code,
        projected.slt_code,
        projected.phase,
        projected.month_count,
        projected.recent_result_count,
        projected.recent_breached_count,
        projected.recent_breach_share,
        projected.earlier_breach_share,
        shared.slope_share,
        shared.projected_breach_share,
        {{ round_half_up_ratio(
            integer_units('shared.projected_breach_share', 6) ~ ' * ' ~ integer_units('projected.recent_result_weight', 4),
            exact_integer('projected.recent_month_count') ~ ' * 10000000000', 4
        ) }} as expected_breach_weight,
        case
            when shared.scope_code is null then 'insufficient_data'
            when
                shared.slope_share >= projected.worsening_slope_share
                and projected.recent_breach_share > projected.earlier_breach_share
                and projected.is_change_clear
                then 'worsening'
            when
                shared.slope_share <= -projected.worsening_slope_share
                and projected.recent_breach_share < projected.earlier_breach_share
                and projected.is_change_clear
                then 'improving'
            else 'steady'
        end as trend_code
    from projected
    left join shared
        on
            projected.scope_type = shared.scope_type
            and projected.scope_code = shared.scope_code
            and projected.slt_code = shared.slt_code
),

final as (
    select
        cast(scope_type as varchar) as scope_type,
        cast(scope_code as varchar) as scope_code,
        cast(slt_code as varchar) as slt_code,
        cast(phase as varchar) as phase,
        cast(row_number() over (
            partition by scope_type
            order by
                expected_breach_weight desc nulls last, recent_breached_count desc, scope_code asc, slt_code asc
        ) as integer) as response_rank,
        cast(trend_code as varchar) as trend_code,
        cast(month_count as integer) as month_count,
        cast(recent_result_count as bigint) as recent_result_count,
        cast(recent_breached_count as bigint) as recent_breached_count,
        cast(recent_breach_share as decimal(18, 6)) as recent_breach_share,
        cast(earlier_breach_share as decimal(18, 6)) as earlier_breach_share,
        cast(slope_share as decimal(18, 6)) as slope_share,
        cast(projected_breach_share as decimal(18, 6)) as projected_breach_share,
        cast(expected_breach_weight as decimal(18, 4)) as expected_breach_weight
    from judged
)

select * from final
