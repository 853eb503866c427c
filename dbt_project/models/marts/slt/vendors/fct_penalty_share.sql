-- Each customer penalty laid on the owners of what the service stands on, to the cent.
with penalty_share as (
    select * from {{ ref('penalty_share') }}
),

fct_composite_component as (
    select * from {{ ref('fct_composite_component') }}
    where measure = 'availability'
),

service as (
    select * from {{ ref('service') }}
),

service_exposure as (
    select * from {{ ref('service_exposure') }}
),

penalty_impact_factor as (
    select * from {{ ref('penalty_impact_factor') }}
),

-- how much business stood on a service in the month: who used it, times the factor of its criticality
service_impact as (
    select
        penalty_share.penalty_code,
        service.service_code,
        max(
            {{ exact_integer('service_exposure.exposure_count') }}
            * {{ integer_units('penalty_impact_factor.impact_factor', 4) }}
        ) as impact_units
    from penalty_share
    cross join service
    inner join service_exposure
        on
            service.service_code = service_exposure.service_code
            and penalty_share.period_month >= service_exposure.effective_from
            and penalty_share.period_month <= coalesce(service_exposure.effective_to, date '9999-12-31')
    inner join penalty_impact_factor
        on
            service.criticality = penalty_impact_factor.criticality
            and penalty_share.period_month >= penalty_impact_factor.effective_from
            and penalty_share.period_month <= coalesce(penalty_impact_factor.effective_to, date '9999-12-31')
    group by penalty_share.penalty_code, service.service_code
),

-- a service that is not composed bears its penalty itself
candidate as (
    select
        penalty_share.*,
        coalesce(fct_composite_component.component_code, penalty_share.service_code) as component_code,
        coalesce(fct_composite_component.owner_code, 'internal') as owner_code,
        coalesce(fct_composite_component.primary_owner_code, 'internal') as primary_owner_code,
        coalesce({{ integer_units('fct_composite_component.owner_share', 4) }}, 10000) as agreed_units,
        case
            when fct_composite_component.composite_status = 'ok'
                then 1000000000 - {{ share_units('fct_composite_component.component_adjusted_share') }}
        end as loss_units,
        -- what is no service of ours carries the business of the service that missed its target
        coalesce(component_impact.impact_units, parent_impact.impact_units, 10000) as impact_units
    from penalty_share
    left join fct_composite_component
        on
            penalty_share.service_code = fct_composite_component.parent_code
            and penalty_share.period_month = fct_composite_component.period_month
    left join service_impact as component_impact
        on
            penalty_share.penalty_code = component_impact.penalty_code
            and coalesce(fct_composite_component.component_code, penalty_share.service_code)
            = component_impact.service_code
    left join service_impact as parent_impact
        on
            penalty_share.penalty_code = parent_impact.penalty_code
            and penalty_share.service_code = parent_impact.service_code
),

-- measured only where every component is known and something was lost
based as (
    select
        *,
        sharing_basis in ('measured_loss', 'business_impact')
        and coalesce(sum(loss_units) over (partition by penalty_code), 0) > 0 as is_by_loss,
        coalesce(
            min(case when loss_units > 0 and owner_code = 'internal' then 0 when loss_units > 0 then 1 end)
                over (partition by penalty_code)
            < max(case when loss_units > 0 and owner_code = 'internal' then 0 when loss_units > 0 then 1 end)
                over (partition by penalty_code),
            false
        ) as is_joint_failure
    from candidate
),

weighed as (
    select
        *,
        case
            when is_by_loss and sharing_basis = 'business_impact' then loss_units * impact_units
            when is_by_loss then loss_units
            else agreed_units
        end as share_units
    from based
),

whole as (
    select
        *,
        sum(share_units) over (partition by penalty_code) as total_units
    from weighed
),

split as (
    select
        *,
        {{ allocate_largest_remainder(
            integer_units('penalty_amount', 2) ~ ' * share_units', 'total_units', 'penalty_code', 'component_code'
        ) }} as shared_cents
    from whole
),

final as (
    select
        cast(penalty_code || ':' || component_code as varchar) as penalty_share_key,
        cast(penalty_code as varchar) as penalty_code,
        cast(contract_code as varchar) as contract_code,
        cast(service_code as varchar) as service_code,
        cast(period_month as date) as period_month,
        cast(component_code as varchar) as component_code,
        cast(owner_code as varchar) as owner_code,
        cast(primary_owner_code as varchar) as primary_owner_code,
        cast(sharing_basis as varchar) as sharing_basis,
        cast(case when is_by_loss then sharing_basis else 'agreed_share' end as varchar) as applied_basis,
        {{ round_half_up_ratio('share_units', 'total_units', 9) }} as applied_share,
        cast({{ from_integer_units('impact_units', 4) }} as decimal(18, 4)) as impact_weight,
        cast(is_joint_failure as boolean) as is_joint_failure,
        cast(penalty_amount as decimal(18, 2)) as penalty_amount,
        {{ from_integer_units('shared_cents', 2) }} as shared_amount,
        cast(currency_code as varchar) as currency_code
    from split
)

select * from final
