-- A component without bands would pay nothing, whatever the result.
{{ config(meta={'dagster': {'ref': {'name': 'plan_component'}}}) }}
select
    plan_component.plan_code,
    plan_component.plan_version,
    plan_component.component_code
from {{ ref('plan_component') }} as plan_component
left join {{ ref('achievement_band') }} as achievement_band
    on
        plan_component.plan_code = achievement_band.plan_code
        and plan_component.plan_version = achievement_band.plan_version
        and plan_component.component_code = achievement_band.component_code
where achievement_band.component_code is null
