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
        cast(plan_component.role as varchar) as role,
        cast(plan_component.band_method as varchar) as band_method,
        cast(plan_component.processing_grain as varchar) as processing_grain,
        cast(plan_component.threshold_value as decimal(18, 6)) as threshold_value,
        cast(plan_component.accelerator_from_value as decimal(18, 6)) as accelerator_from_value,
        cast(plan_component.accelerator_factor as decimal(9, 4)) as accelerator_factor,
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
