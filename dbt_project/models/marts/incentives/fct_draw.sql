-- Draws: where a plan promises a least quarterly pay, what was advanced to who earned less, what later quarters set
-- off, and what is still owed. The balance is max(0, balance before + minimum - earned), here in closed form: the
-- running sum of minimum - earned less its least value so far (or 0). The minimum goes by paid days; who is not in the
-- plan on the quarter's last day, or under no rule any more, is advanced nothing and still sets off.
with incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

plan_draw as (
    select * from {{ ref('plan_draw') }}
),

-- every component of a segment says its days: they count once
segment as (
    select
        plan_code,
        plan_version,
        employee_number,
        earned_quarter,
        currency_code,
        segment_start_on,
        max(paid_days_value) as paid_days_value,
        max(segment_end_on) as segment_end_on
    from incentive_payout
    group by plan_code, plan_version, employee_number, earned_quarter, currency_code, segment_start_on
),

stay as (
    select
        plan_code,
        plan_version,
        employee_number,
        earned_quarter,
        currency_code,
        sum(paid_days_value) as paid_days_value,
        max(segment_end_on) as last_day_on
    from segment
    group by plan_code, plan_version, employee_number, earned_quarter, currency_code
),

-- the team of the quarter's last days decides the tier
earned as (
    select
        plan_code,
        plan_version,
        employee_number,
        earned_quarter,
        period_start_on,
        period_end_on,
        quarter_days,
        country_code,
        currency_code,
        payment_period,
        tier,
        cost_centre_code,
        sum(payout_amount) over (
            partition by plan_code, plan_version, employee_number, earned_quarter, currency_code
        ) as earned_amount
    from incentive_payout
    qualify row_number() over (
            partition by plan_code, plan_version, employee_number, earned_quarter, currency_code
            order by segment_start_on desc, component_code asc
        ) = 1
),

promised as (
    select
        earned.*,
        plan_draw.plan_code is not null as is_promised,
        case
            when plan_draw.plan_code is null or stay.last_day_on < {{ add_days('earned.period_end_on', -1) }} then 0
            else {{ round_half_up_ratio(
                integer_units('plan_draw.minimum_amount', 2) ~ ' * ' ~ integer_units('stay.paid_days_value', 4),
                exact_integer('1000000') ~ ' * ' ~ exact_integer('earned.quarter_days'),
                2
            ) }}
        end as minimum_amount
    from earned
    inner join stay
        on
            earned.plan_code = stay.plan_code
            and earned.plan_version = stay.plan_version
            and earned.employee_number = stay.employee_number
            and earned.earned_quarter = stay.earned_quarter
            and earned.currency_code = stay.currency_code
    left join plan_draw
        on
            earned.plan_code = plan_draw.plan_code
            and earned.plan_version = plan_draw.plan_version
            and earned.currency_code = plan_draw.currency_code
            and earned.tier = plan_draw.tier
            and earned.period_start_on >= plan_draw.effective_from
            and (plan_draw.effective_to is null or earned.period_start_on <= plan_draw.effective_to)
),

compared as (
    select
        *,
        sum(minimum_amount - earned_amount) over (
            partition by plan_code, employee_number, currency_code
            order by period_start_on, plan_version
            rows between unbounded preceding and current row
        ) as running_shortfall_amount
    from promised
),

floored as (
    select
        *,
        min(running_shortfall_amount) over (
            partition by plan_code, employee_number, currency_code
            order by period_start_on, plan_version
            rows between unbounded preceding and current row
        ) as least_shortfall_amount
    from compared
),

owed as (
    select
        *,
        running_shortfall_amount - least(0, least_shortfall_amount) as balance_amount
    from floored
),

balanced as (
    select
        *,
        coalesce(
            lag(balance_amount) over (
                partition by plan_code, employee_number, currency_code order by period_start_on, plan_version
            ),
            0
        ) as balance_before_amount
    from owed
),

final as (
    select
        cast({{ md5_of([
            'plan_code', 'plan_version', 'employee_number', 'earned_quarter', 'currency_code'
        ]) }} as varchar) as earning_line_id,
        cast('draw' as varchar) as earning_kind,
        cast(plan_code as varchar) as plan_code,
        cast(plan_version as integer) as plan_version,
        cast(employee_number as varchar) as employee_number,
        cast(earned_quarter as varchar) as earned_quarter,
        cast(period_start_on as date) as period_start_on,
        cast(country_code as varchar) as country_code,
        cast(cost_centre_code as varchar) as cost_centre_code,
        cast(currency_code as varchar) as currency_code,
        cast(payment_period as varchar) as payment_period,
        cast(minimum_amount as decimal(18, 2)) as minimum_amount,
        cast(earned_amount as decimal(18, 2)) as payout_amount,
        cast(balance_before_amount as decimal(18, 2)) as balance_before_amount,
        -- positive: advanced; negative: set off
        cast(balance_amount - balance_before_amount as decimal(18, 2)) as earned_amount,
        cast(balance_amount as decimal(18, 2)) as balance_amount
    from balanced
    where is_promised or balance_before_amount <> 0
)

select * from final
