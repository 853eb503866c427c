with adjustment as (
    select * from {{ ref('int_weight_adjustment') }}
),

weight_adjustment_component as (
    select * from {{ ref('weight_adjustment_component') }}
),

plan_component as (
    select * from {{ ref('plan_component') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

-- the plan's components, and those only the adjustment names
component as (
    select
        adjustment.adjustment_id,
        plan_component.component_code
    from adjustment
    inner join plan_component
        on
            adjustment.plan_code = plan_component.plan_code
            and adjustment.plan_version = plan_component.plan_version
            and adjustment.tier = plan_component.tier

    union

    select
        adjustment_id,
        component_code
    from weight_adjustment_component
),

final as (
    select
        cast(adjustment.adjustment_id as varchar) as adjustment_id,
        cast(adjustment.plan_code as varchar) as plan_code,
        cast(adjustment.plan_version as integer) as plan_version,
        cast(adjustment.tier as integer) as tier,
        cast(component.component_code as varchar) as component_code,
        cast(adjustment.distortion_type as varchar) as distortion_type,
        cast(adjustment.starts_on as date) as starts_on,
        cast(adjustment.ends_on as date) as ends_on,
        cast(adjustment.justification as varchar) as justification,
        cast(adjustment.evidence_reference as varchar) as evidence_reference,
        cast(adjustment.requested_by as varchar) as requested_by,
        cast(adjustment.requested_on as date) as requested_on,
        cast(adjustment.gate_at as timestamp) as approved_at,
        cast(adjustment.gate_due_on as date) as approval_due_on,
        cast(adjustment.weighs_from_on as date) as weighs_from_on,
        cast(plan_component.weight as decimal(9, 4)) as plan_weight,
        cast(weight_adjustment_component.weight as decimal(9, 4)) as requested_weight,
        cast(
            case
                when adjustment.is_effective
                    then coalesce(weight_adjustment_component.weight, plan_component.weight)
                else plan_component.weight
            end as decimal(9, 4)
        ) as effective_weight,
        cast(adjustment.weight_sum as decimal(9, 4)) as requested_sum_weight,
        cast(adjustment.is_effective as boolean) as is_effective,
        cast(adjustment.refusal_reasons as varchar) as refusal_reasons,
        cast(run_context.as_of_at as timestamp) as as_of_at
    from adjustment
    cross join run_context
    inner join component on adjustment.adjustment_id = component.adjustment_id
    left join weight_adjustment_component
        on
            component.adjustment_id = weight_adjustment_component.adjustment_id
            and component.component_code = weight_adjustment_component.component_code
    left join plan_component
        on
            adjustment.plan_code = plan_component.plan_code
            and adjustment.plan_version = plan_component.plan_version
            and adjustment.tier = plan_component.tier
            and component.component_code = plan_component.component_code
)

select * from final
