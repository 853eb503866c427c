-- Weights that do not sum to 1 pay more or less than the target that was promised.
select
    plan_code,
    plan_version,
    tier,
    sum(weight) as weight_sum,
    count(*) - count(distinct component_code) as repeated_component_count
from {{ ref('plan_component') }}
group by plan_code, plan_version, tier
having sum(weight) <> 1 or count(*) <> count(distinct component_code)
