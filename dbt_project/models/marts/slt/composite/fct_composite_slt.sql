-- One row a composed service (or group of components), measure and month: composite against target, layer by layer,
-- and how much of the shortfall is whose.
with fct_composite_component as (
    select * from {{ ref('fct_composite_component') }}
),

fct_component_performance as (
    select * from {{ ref('fct_component_performance') }}
),

-- a layer is combined as its parent is: in series the layers multiply to the whole
layer as (
    select
        composite_key,
        component_layer,
        {{ round_half_up_integer(composite_units(
            'structure', '(' ~ share_units('component_adjusted_share') ~ ' * 1000)',
            integer_units('weight', 4), 'component_code'
        ), 1000) }} as layer_units
    from fct_composite_component
    group by composite_key, component_layer, structure
),

layers as (
    select
        composite_key,
        max(case when component_layer = 'infrastructure' then layer_units end) as infrastructure_units,
        max(case when component_layer = 'platform' then layer_units end) as platform_units,
        max(case when component_layer = 'application' then layer_units end) as application_units
    from layer
    group by composite_key
),

composite as (
    select
        composite_key,
        parent_code,
        measure,
        period_month,
        structure,
        parent_height_number,
        composite_raw_share,
        composite_adjusted_share,
        target_share,
        shortfall_share,
        composite_status,
        count(*) as component_count,
        sum(case when component_status = 'insufficient_data' then 1 else 0 end) as missing_component_count,
        sum(case when component_source = 'vendor_report' then 1 else 0 end) as reported_component_count,
        sum(case when is_external then 1 else 0 end) as external_component_count,
        sum(case when is_external then 0 else owner_shortfall_share end) as internal_shortfall_share,
        sum(case when is_external then owner_shortfall_share else 0 end) as external_shortfall_share
    from fct_composite_component
    group by
        composite_key,
        parent_code,
        measure,
        period_month,
        structure,
        parent_height_number,
        composite_raw_share,
        composite_adjusted_share,
        target_share,
        shortfall_share,
        composite_status
),

final as (
    select
        composite.composite_key,
        composite.parent_code as node_code,
        composite.measure,
        composite.period_month,
        composite.structure,
        composite.parent_height_number as height_number,
        cast(composite.component_count as bigint) as component_count,
        cast(composite.missing_component_count as bigint) as missing_component_count,
        cast(composite.reported_component_count as bigint) as reported_component_count,
        cast(composite.external_component_count as bigint) as external_component_count,
        composite.composite_raw_share,
        composite.composite_adjusted_share,
        cast(fct_component_performance.raw_share as decimal(18, 9)) as measured_raw_share,
        cast(fct_component_performance.adjusted_share as decimal(18, 9)) as measured_adjusted_share,
        {{ from_integer_units('layers.infrastructure_units', 9) }} as infrastructure_share,
        {{ from_integer_units('layers.platform_units', 9) }} as platform_share,
        {{ from_integer_units('layers.application_units', 9) }} as application_share,
        composite.target_share,
        composite.shortfall_share,
        cast(
            case when composite.shortfall_share is not null then composite.internal_shortfall_share end
            as decimal(18, 9)
        ) as internal_shortfall_share,
        cast(
            case when composite.shortfall_share is not null then composite.external_shortfall_share end
            as decimal(18, 9)
        ) as external_shortfall_share,
        cast(composite.shortfall_share = 0 as boolean) as is_target_met,
        composite.composite_status
    from composite
    inner join layers on composite.composite_key = layers.composite_key
    left join fct_component_performance
        on
            composite.parent_code = fct_component_performance.component_code
            and composite.measure = fct_component_performance.measure
            and composite.period_month = fct_component_performance.period_month
            and fct_component_performance.performance_source <> 'vendor_report'
)

select * from final
