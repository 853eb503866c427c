-- The service tree computed bottom up: what each component gave its parent in each month, what the parent came to,
-- and whom its shortfall belongs to.
with int_component_month as (
    select * from {{ ref('int_component_month') }}
),

int_vendor_family as (
    select * from {{ ref('int_vendor_family') }}
),

fct_component_performance as (
    select * from {{ ref('fct_component_performance') }}
),

service_target as (
    select * from {{ ref('service_target') }}
    where contract_code is null
),

parent_node as (
    select distinct
        period_on,
        measure,
        parent_code
    from int_component_month
),

-- a node that has components of its own is their sum, whatever its own monitors say
leaf as (
    select
        fct_component_performance.period_month as period_on,
        fct_component_performance.measure,
        fct_component_performance.component_code as node_code,
        {{ share_units('fct_component_performance.raw_share') }} * 1000 as raw_units,
        {{ share_units('fct_component_performance.adjusted_share') }} * 1000 as adjusted_units
    from fct_component_performance
    left join parent_node
        on
            fct_component_performance.period_month = parent_node.period_on
            and fct_component_performance.measure = parent_node.measure
            and fct_component_performance.component_code = parent_node.parent_code
    where parent_node.parent_code is null
),

{{ composite_levels('int_component_month', 'leaf', ['raw_units', 'adjusted_units']) }},

joined as (
    select
        int_component_month.*,
        coalesce(int_vendor_family.primary_vendor_code, int_component_month.owner_code) as primary_owner_code,
        case
            when nested.parent_code is not null then 'components'
            else coalesce(fct_component_performance.performance_source, 'none')
        end as component_source,
        component.raw_units as component_raw_units,
        component.adjusted_units as component_adjusted_units,
        composite.raw_units as composite_raw_units,
        composite.adjusted_units as composite_adjusted_units,
        service_target.target_share,
        greatest(
            {{ share_units('service_target.target_share') }}
            - {{ round_half_up_integer('composite.adjusted_units', 1000) }},
            0
        ) as shortfall_units,
        1000000000000 - component.adjusted_units as loss_units
    from int_component_month
    left join parent_node as nested
        on
            int_component_month.period_on = nested.period_on
            and int_component_month.measure = nested.measure
            and int_component_month.component_code = nested.parent_code
    left join fct_component_performance
        on
            int_component_month.period_on = fct_component_performance.period_month
            and int_component_month.measure = fct_component_performance.measure
            and int_component_month.component_code = fct_component_performance.component_code
    left join known_{{ composite_height_limit() }} as component
        on
            int_component_month.period_on = component.period_on
            and int_component_month.measure = component.measure
            and int_component_month.component_code = component.node_code
    inner join known_{{ composite_height_limit() }} as composite
        on
            int_component_month.period_on = composite.period_on
            and int_component_month.measure = composite.measure
            and int_component_month.parent_code = composite.node_code
    left join int_vendor_family on int_component_month.owner_code = int_vendor_family.vendor_code
    left join service_target
        on
            int_component_month.parent_code = service_target.service_code
            and int_component_month.measure = service_target.measure
            and int_component_month.period_on >= service_target.effective_from
            and int_component_month.period_on <= coalesce(service_target.effective_to, date '9999-12-31')
),

-- least and greatest skip nulls: an unknown composite or target has no shortfall, not one of 0
split as (
    select
        *,
        case
            when composite_adjusted_units is not null and target_share is not null then shortfall_units
        end as known_shortfall_units,
        {{ allocate_largest_remainder(
            'coalesce(shortfall_units, 0) * ' ~ integer_units('owner_share', 4),
            10000,
            'period_on, measure, parent_code',
            'component_code'
        ) }} as owner_shortfall_units,
        sum(loss_units) over (partition by period_on, measure, parent_code) as total_loss_units
    from joined
),

final as (
    select
        cast(parent_code || ':' || measure || ':' || {{ month_code('period_on') }} as varchar) as composite_key,
        cast(parent_code as varchar) as parent_code,
        cast(measure as varchar) as measure,
        cast(period_on as date) as period_month,
        cast(component_code as varchar) as component_code,
        cast(component_layer as varchar) as component_layer,
        cast(structure as varchar) as structure,
        cast(parent_height as integer) as parent_height_number,
        cast(owner_code as varchar) as owner_code,
        cast(primary_owner_code as varchar) as primary_owner_code,
        cast(owner_code <> 'internal' as boolean) as is_external,
        cast(owner_share as decimal(9, 4)) as owner_share,
        cast(weight as decimal(9, 4)) as weight,
        cast(component_source as varchar) as component_source,
        {{ share_of_units('component_raw_units') }} as component_raw_share,
        {{ share_of_units('component_adjusted_units') }}
            as component_adjusted_share,
        {{ share_of_units('composite_raw_units') }} as composite_raw_share,
        {{ share_of_units('composite_adjusted_units') }}
            as composite_adjusted_share,
        cast(target_share as decimal(18, 9)) as target_share,
        {{ from_integer_units('known_shortfall_units', 9) }} as shortfall_share,
        {{ from_integer_units(
            'case when known_shortfall_units is not null then owner_shortfall_units end', 9
        ) }} as owner_shortfall_share,
        case
            when composite_adjusted_units is not null
                then {{ round_half_up_ratio('loss_units', 'total_loss_units', 9) }}
        end as loss_share,
        cast(
            case
                when component_adjusted_units is null then 'insufficient_data'
                when not is_complete then 'provisional'
                else 'ok'
            end as varchar
        ) as component_status,
        cast(
            case
                when composite_adjusted_units is null then 'insufficient_data'
                when not is_complete then 'provisional'
                else 'ok'
            end as varchar
        ) as composite_status
    from split
)

select * from final
