-- What each customer contract earned and cost in its tier, and the highest tier its figures warrant.
with contract_economics as (
    select * from {{ ref('contract_economics') }}
),

contract as (
    select * from {{ ref('contract') }}
),

service_tier as (
    select * from {{ ref('service_tier') }}
),

-- costs may exceed revenue, so the margin may be negative: exact on cents
result as (
    select
        contract_economics.contract_code,
        contract_economics.customer_segment,
        contract.service_tier_code,
        contract_economics.quarter_start_on,
        contract_economics.revenue_amount,
        contract_economics.delivery_cost_amount,
        contract_economics.support_cost_amount,
        contract_economics.revenue_amount
        - contract_economics.delivery_cost_amount
        - contract_economics.support_cost_amount as margin_amount,
        {{ round_half_up_ratio(
            integer_units('contract_economics.revenue_amount', 2)
                ~ ' - ' ~ integer_units('contract_economics.delivery_cost_amount', 2)
                ~ ' - ' ~ integer_units('contract_economics.support_cost_amount', 2),
            integer_units('contract_economics.revenue_amount', 2),
            6
        ) }} as margin_share,
        {{ round_half_up_ratio(
            integer_units('contract_economics.support_cost_amount', 2),
            integer_units('contract_economics.revenue_amount', 2),
            6
        ) }} as support_cost_share,
        contract_economics.currency_code
    from contract_economics
    inner join contract on contract_economics.contract_code = contract.contract_code
),

warranted as (
    select
        result.contract_code,
        result.quarter_start_on,
        min(service_tier.tier_rank) as tier_rank,
        min_by(service_tier.service_tier_code, service_tier.tier_rank) as service_tier_code
    from result
    inner join service_tier
        on
            result.margin_share >= service_tier.minimum_margin_share
            and result.support_cost_share <= service_tier.maximum_support_cost_share
            and result.quarter_start_on >= service_tier.effective_from
            and result.quarter_start_on <= coalesce(service_tier.effective_to, date '9999-12-31')
    group by result.contract_code, result.quarter_start_on
),

final as (
    select
        cast(result.contract_code as varchar) as contract_code,
        cast(result.customer_segment as varchar) as customer_segment,
        cast(result.service_tier_code as varchar) as service_tier_code,
        cast({{ quarter_code('result.quarter_start_on') }} as varchar) as quarter_code,
        cast(result.quarter_start_on as date) as quarter_start_on,
        cast(result.revenue_amount as decimal(18, 2)) as revenue_amount,
        cast(result.delivery_cost_amount as decimal(18, 2)) as delivery_cost_amount,
        cast(result.support_cost_amount as decimal(18, 2)) as support_cost_amount,
        cast(result.margin_amount as decimal(18, 2)) as margin_amount,
        cast(result.margin_share as decimal(18, 6)) as margin_share,
        cast(result.support_cost_share as decimal(18, 6)) as support_cost_share,
        cast(warranted.service_tier_code as varchar) as warranted_tier_code,
        cast(
            case
                when result.margin_share is null then 'insufficient_data'
                when warranted.tier_rank is null then 'below_every_tier'
                when warranted.tier_rank > held.tier_rank then 'review_down'
                when warranted.tier_rank < held.tier_rank then 'review_up'
                else 'keep'
            end as varchar
        ) as tier_signal,
        cast(result.currency_code as varchar) as currency_code
    from result
    left join warranted
        on
            result.contract_code = warranted.contract_code
            and result.quarter_start_on = warranted.quarter_start_on
    left join service_tier as held
        on
            result.service_tier_code = held.service_tier_code
            and result.quarter_start_on >= held.effective_from
            and result.quarter_start_on <= coalesce(held.effective_to, date '9999-12-31')
)

select * from final
