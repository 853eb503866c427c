-- Draws: where a plan promises a least quarterly pay, what was advanced to who earned less, what later quarters set
-- off, and what is still owed. The balance is max(0, balance before + minimum - earned), here in closed form: the
-- running sum of minimum - earned less its least value so far (or 0).
with incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

plan_draw as (
    select * from {{ ref('plan_draw') }}
),

-- the team of the quarter's last days decides the tier
earned as (
    select
        plan_code,
        plan_version,
        employee_number,
        earned_quarter,
        period_start_on,
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

compared as (
    select
        earned.*,
        plan_draw.minimum_amount,
        sum(plan_draw.minimum_amount - earned.earned_amount) over (
            partition by earned.plan_code, earned.plan_version, earned.employee_number, earned.currency_code
            order by earned.period_start_on
            rows between unbounded preceding and current row
        ) as running_shortfall_amount
    from earned
    inner join plan_draw
        on
            earned.plan_code = plan_draw.plan_code
            and earned.plan_version = plan_draw.plan_version
            and earned.currency_code = plan_draw.currency_code
            and earned.tier = plan_draw.tier
            and earned.period_start_on >= plan_draw.effective_from
            and (plan_draw.effective_to is null or earned.period_start_on <= plan_draw.effective_to)
),

floored as (
    select
        *,
        min(running_shortfall_amount) over (
            partition by plan_code, plan_version, employee_number, currency_code
            order by period_start_on
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
                partition by plan_code, plan_version, employee_number, currency_code order by period_start_on
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
)

select * from final
