-- Weights of a phase that leave a component out or do not sum to 1 pay more or less than the target that was promised.
{{ config(meta={'dagster': {'ref': {'name': 'lifecycle_weight'}}}) }}
with weighed as (
    select distinct
        plan_code,
        plan_version,
        phase,
        tier
    from {{ ref('lifecycle_weight') }}
)

select
    weighed.plan_code,
    weighed.plan_version,
    weighed.phase,
    plan_component.tier,
    sum(coalesce(lifecycle_weight.weight, 0)) as weight_sum,
    count(*) - count(lifecycle_weight.component_code) as missing_component_count
from weighed
inner join {{ ref('plan_component') }} as plan_component
    on
        weighed.plan_code = plan_component.plan_code
        and weighed.plan_version = plan_component.plan_version
        and weighed.tier = plan_component.tier
left join {{ ref('lifecycle_weight') }} as lifecycle_weight
    on
        weighed.plan_code = lifecycle_weight.plan_code
        and weighed.plan_version = lifecycle_weight.plan_version
        and weighed.phase = lifecycle_weight.phase
        and weighed.tier = lifecycle_weight.tier
        and plan_component.component_code = lifecycle_weight.component_code
group by weighed.plan_code, weighed.plan_version, weighed.phase, plan_component.tier
having sum(coalesce(lifecycle_weight.weight, 0)) <> 1 or count(*) <> count(lifecycle_weight.component_code)
