-- Each customer penalty laid on the owners of what the service stands on, to the cent.
with penalty_share as (
    select * from {{ ref('penalty_share') }}
),

fct_composite_component as (
    select * from {{ ref('fct_composite_component') }}
    where measure = 'availability'
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
        end as loss_units
    from penalty_share
    left join fct_composite_component
        on
            penalty_share.service_code = fct_composite_component.parent_code
            and penalty_share.period_month = fct_composite_component.period_month
),

-- measured only where every component is known and something was lost
based as (
    select
        *,
        sharing_basis = 'measured_loss'
        and coalesce(sum(loss_units) over (partition by penalty_code), 0) > 0 as is_by_loss
    from candidate
),

weighed as (
    select
        *,
        case when is_by_loss then loss_units else agreed_units end as share_units,
        sum(case when is_by_loss then loss_units else agreed_units end) over (partition by penalty_code)
            as total_units
    from based
),

split as (
    select
        *,
        {{ allocate_largest_remainder(
            integer_units('penalty_amount', 2) ~ ' * share_units', 'total_units', 'penalty_code', 'component_code'
        ) }} as shared_cents
    from weighed
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
        cast(case when is_by_loss then 'measured_loss' else 'agreed_share' end as varchar) as applied_basis,
        {{ round_half_up_ratio('share_units', 'total_units', 9) }} as applied_share,
        cast(penalty_amount as decimal(18, 2)) as penalty_amount,
        {{ from_integer_units('shared_cents', 2) }} as shared_amount,
        cast(currency_code as varchar) as currency_code
    from split
)

select * from final
