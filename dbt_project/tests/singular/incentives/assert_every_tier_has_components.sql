-- A team whose tier the plan in force does not know would silently earn nothing.
{{ config(meta={'dagster': {'ref': {'name': 'plan_component'}}}) }}
select
    team.team_code,
    team.tier,
    incentive_plan.plan_code,
    incentive_plan.plan_version
from {{ ref('team') }} as team
cross join {{ ref('incentive_plan') }} as incentive_plan
left join {{ ref('plan_component') }} as plan_component
    on
        incentive_plan.plan_code = plan_component.plan_code
        and incentive_plan.plan_version = plan_component.plan_version
        and team.tier = plan_component.tier
where plan_component.tier is null
