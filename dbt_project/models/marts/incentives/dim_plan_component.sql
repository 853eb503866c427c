-- Every component of every plan version and tier, with the rules of its plan: with dim_achievement_band all that
-- turns a metric value into a payout share and a share into an amount.
with plan_component as (
    select * from {{ ref('plan_component') }}
),

incentive_plan as (
    select * from {{ ref('incentive_plan') }}
),

final as (
    select
        cast(plan_component.plan_code as varchar) as plan_code,
        cast(plan_component.plan_version as integer) as plan_version,
        cast(plan_component.tier as integer) as tier,
        cast(plan_component.component_code as varchar) as component_code,
        cast(plan_component.metric_code as varchar) as metric_code,
        cast(plan_component.weight as decimal(9, 4)) as weight,
        cast(plan_component.band_method as varchar) as band_method,
        cast(incentive_plan.plan_name as varchar) as plan_name,
        cast(incentive_plan.period_grain as varchar) as period_grain,
        cast(incentive_plan.rounding_policy as varchar) as rounding_policy,
        cast(incentive_plan.allocation_policy as varchar) as allocation_policy,
        cast(incentive_plan.payment_lag_months as integer) as payment_lag_months,
        cast(incentive_plan.effective_from as date) as effective_from,
        cast(incentive_plan.effective_to as date) as effective_to
    from plan_component
    left join incentive_plan
        on
            plan_component.plan_code = incentive_plan.plan_code
            and plan_component.plan_version = incentive_plan.plan_version
)

select * from final
