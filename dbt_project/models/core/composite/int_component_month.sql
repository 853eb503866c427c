-- The service tree month by month: the rows in force on the month's first day hold for the whole month, as a
-- metric's version does. parent_height says in which order parents can be computed: 1 stands on leaves alone.
with recursive
int_reporting_period as (
    select * from {{ ref('int_reporting_period') }}
    where period_grain = 'month'
),

service_component as (
    select * from {{ ref('service_component') }}
),

edge as (
    select
        int_reporting_period.period_start_on as period_on,
        int_reporting_period.is_complete,
        service_component.measure,
        service_component.parent_code,
        service_component.component_code,
        service_component.component_layer,
        service_component.owner_code,
        service_component.owner_share,
        service_component.weight,
        service_component.structure
    from int_reporting_period
    inner join service_component
        on
            int_reporting_period.period_start_on >= service_component.effective_from
            and int_reporting_period.period_start_on <= coalesce(service_component.effective_to, date '9999-12-31')
),

-- upwards from each parent; the limit ends the walk where a tree bites its own tail
climb as (
    select distinct
        edge.period_on,
        edge.measure,
        edge.parent_code,
        1 as parent_height
    from edge

    union

    select
        edge.period_on,
        edge.measure,
        edge.parent_code,
        climb.parent_height + 1 as parent_height
    from climb
    inner join edge
        on
            climb.period_on = edge.period_on
            and climb.measure = edge.measure
            and climb.parent_code = edge.component_code
    where climb.parent_height <= {{ composite_height_limit() }}
),

height as (
    select
        period_on,
        measure,
        parent_code,
        max(parent_height) as parent_height
    from climb
    group by period_on, measure, parent_code
),

final as (
    select
        edge.period_on,
        edge.is_complete,
        edge.measure,
        edge.parent_code,
        height.parent_height,
        edge.component_code,
        edge.component_layer,
        edge.owner_code,
        edge.owner_share,
        edge.weight,
        {{ integer_units('edge.weight', 4) }} as weight_units,
        edge.structure
    from edge
    inner join height
        on
            edge.period_on = height.period_on
            and edge.measure = height.measure
            and edge.parent_code = height.parent_code
)

select * from final
