-- The weights a team is measured by while its leading service is in a phase of its life for which the plan has weights
-- of its own. The leading service is the most critical one the team owns (then the first by code), its phase that of
-- the quarter's first day.
with incentive_period as (
    select * from {{ ref('int_incentive_period') }}
),

plan_component as (
    select * from {{ ref('plan_component') }}
),

team as (
    select * from {{ ref('team') }}
),

service as (
    select * from {{ ref('service') }}
),

service_lifecycle as (
    select * from {{ ref('service_lifecycle') }}
),

lifecycle_weight as (
    select * from {{ ref('lifecycle_weight') }}
),

leading_service as (
    select
        owner_team_code as team_code,
        service_code
    from service
    qualify row_number() over (partition by owner_team_code order by criticality, service_code) = 1
),

final as (
    select
        incentive_period.plan_code,
        incentive_period.plan_version,
        incentive_period.earned_quarter,
        team.team_code,
        team.tier,
        lifecycle_weight.component_code,
        service_lifecycle.service_code,
        service_lifecycle.phase,
        plan_component.weight as plan_weight,
        lifecycle_weight.weight
    from incentive_period
    cross join team
    inner join leading_service on team.team_code = leading_service.team_code
    inner join service_lifecycle
        on
            leading_service.service_code = service_lifecycle.service_code
            and incentive_period.period_start_on >= service_lifecycle.effective_from
            and (
                service_lifecycle.effective_to is null
                or incentive_period.period_start_on <= service_lifecycle.effective_to
            )
    inner join lifecycle_weight
        on
            incentive_period.plan_code = lifecycle_weight.plan_code
            and incentive_period.plan_version = lifecycle_weight.plan_version
            and team.tier = lifecycle_weight.tier
            and service_lifecycle.phase = lifecycle_weight.phase
    inner join plan_component
        on
            lifecycle_weight.plan_code = plan_component.plan_code
            and lifecycle_weight.plan_version = plan_component.plan_version
            and lifecycle_weight.tier = plan_component.tier
            and lifecycle_weight.component_code = plan_component.component_code
)

select * from final
