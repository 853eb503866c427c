-- The weights that stand in for the plan's own, quarter by quarter: only of adjustments that take effect, and only of
-- quarters that had not ended when they were signed.
with weight_adjustment as (
    select * from {{ ref('int_weight_adjustment') }}
    where is_effective
),

weight_adjustment_component as (
    select * from {{ ref('weight_adjustment_component') }}
),

plan_component as (
    select * from {{ ref('plan_component') }}
),

incentive_period as (
    select * from {{ ref('int_incentive_period') }}
),

final as (
    select
        plan_component.plan_code,
        plan_component.plan_version,
        plan_component.tier,
        plan_component.component_code,
        incentive_period.earned_quarter,
        weight_adjustment.adjustment_id,
        plan_component.weight as plan_weight,
        weight_adjustment_component.weight
    from weight_adjustment
    inner join weight_adjustment_component
        on weight_adjustment.adjustment_id = weight_adjustment_component.adjustment_id
    inner join plan_component
        on
            weight_adjustment.plan_code = plan_component.plan_code
            and weight_adjustment.plan_version = plan_component.plan_version
            and weight_adjustment.tier = plan_component.tier
            and weight_adjustment_component.component_code = plan_component.component_code
    inner join incentive_period
        on
            weight_adjustment.plan_code = incentive_period.plan_code
            and weight_adjustment.plan_version = incentive_period.plan_version
            and weight_adjustment.weighs_from_on <= incentive_period.period_start_on
            and weight_adjustment.ends_on >= incentive_period.period_start_on
)

select * from final
