-- The quarters each plan version pays for: the version in force on the quarter's first day pays the whole
-- quarter, and only a quarter that has ended is paid. A version that lacks its sign-offs in every country pays for
-- none.
with reporting_period as (
    select * from {{ ref('int_reporting_period') }}
),

incentive_plan as (
    select * from {{ ref('incentive_plan') }}
),

plan_activation as (
    select * from {{ ref('int_plan_activation') }}
    where is_activated
),

-- countries may be ready at different times: each line asks for its own
activated as (
    select
        plan_code,
        plan_version,
        min(effective_from) as activated_from
    from plan_activation
    group by plan_code, plan_version
),

final as (
    select
        incentive_plan.plan_code,
        incentive_plan.plan_version,
        reporting_period.period_code as earned_quarter,
        reporting_period.period_start_on,
        reporting_period.period_end_on,
        reporting_period.period_days as quarter_days,
        reporting_period.is_complete,
        {{ month_code(
            add_months('reporting_period.period_end_on', 'incentive_plan.payment_lag_months - 1')
        ) }} as payment_period
    from reporting_period
    inner join incentive_plan
        on
            reporting_period.period_grain = incentive_plan.period_grain
            and reporting_period.period_start_on >= incentive_plan.effective_from
            and (
                incentive_plan.effective_to is null
                or reporting_period.period_start_on <= incentive_plan.effective_to
            )
    inner join activated
        on
            incentive_plan.plan_code = activated.plan_code
            and incentive_plan.plan_version = activated.plan_version
            and reporting_period.period_start_on >= activated.activated_from
)

select * from final
