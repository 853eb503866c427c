-- What is wrong with the service tree, row by row, each with what to mend. An empty table lets the build go on.
with recursive
service as (
    select * from {{ ref('service') }}
),

component as (
    select * from {{ ref('component') }}
),

vendor as (
    select * from {{ ref('vendor') }}
),

service_component as (
    select * from {{ ref('service_component') }}
),

node as (
    select service_code as node_code
    from service

    union all

    select component_code as node_code
    from component
),

-- the tree changes only on these days, so what holds on each of them holds always
change_day as (
    select distinct effective_from as changed_on
    from service_component

    union

    select distinct {{ add_days('effective_to', 1) }} as changed_on
    from service_component
    where effective_to is not null
),

in_force as (
    select
        change_day.changed_on,
        service_component.*
    from change_day
    inner join service_component
        on
            change_day.changed_on >= service_component.effective_from
            and change_day.changed_on <= coalesce(service_component.effective_to, date '9999-12-31')
),

parent as (
    select
        changed_on,
        measure,
        parent_code,
        sum(owner_share) as owner_share,
        sum(weight) as weight,
        count(weight) as weight_count,
        count(*) as component_count,
        count(distinct component_code) as distinct_count,
        count(distinct structure) as structure_count,
        max(structure) as structure
    from in_force
    group by changed_on, measure, parent_code
),

-- every way down, up to one step beyond the tallest tree that is computed
descent as (
    select
        changed_on,
        measure,
        parent_code as top_code,
        component_code,
        1 as height
    from in_force

    union

    select
        descent.changed_on,
        descent.measure,
        descent.top_code,
        in_force.component_code,
        descent.height + 1 as height
    from descent
    inner join in_force
        on
            descent.changed_on = in_force.changed_on
            and descent.measure = in_force.measure
            and descent.component_code = in_force.parent_code
    where descent.height <= {{ composite_height_limit() }}
),

fault as (
    select
        service_component.parent_code,
        service_component.measure,
        service_component.effective_from as from_on,
        'component ' || service_component.component_code || ' is neither a service nor a component: add it to '
        || 'component.csv or mend the code in service_component.csv' as reason
    from service_component
    left join node on service_component.component_code = node.node_code
    where node.node_code is null

    union all

    select
        service_component.parent_code,
        service_component.measure,
        service_component.effective_from as from_on,
        'parent is neither a service nor a component: add it to component.csv or mend the code in '
        || 'service_component.csv' as reason
    from service_component
    left join node on service_component.parent_code = node.node_code
    where node.node_code is null

    union all

    select
        service_component.parent_code,
        service_component.measure,
        service_component.effective_from as from_on,
        'owner ' || service_component.owner_code || ' of component ' || service_component.component_code
        || ' is neither internal nor a vendor: mend the code in service_component.csv' as reason
    from service_component
    left join vendor on service_component.owner_code = vendor.vendor_code
    where vendor.vendor_code is null and service_component.owner_code <> 'internal'

    union all

    select
        node_code as parent_code,
        cast(null as varchar) as measure,
        cast(null as date) as from_on,
        'is both a service and a component: rename it in component.csv' as reason
    from node
    group by node_code
    having count(*) > 1

    union all

    select
        parent_code,
        measure,
        changed_on as from_on,
        'owner shares sum to ' || cast(owner_share as varchar) || ', not to 1: mend owner_share in '
        || 'service_component.csv for the rows in force on that day' as reason
    from parent
    where owner_share <> 1

    union all

    select
        parent_code,
        measure,
        changed_on as from_on,
        'has ' || cast(structure_count as varchar) || ' structures on one day: give all its rows the same' as reason
    from parent
    where structure_count > 1

    union all

    select
        parent_code,
        measure,
        changed_on as from_on,
        'lists a component twice on one day: end the earlier row the day before the later one begins' as reason
    from parent
    where component_count > distinct_count

    union all

    select
        parent_code,
        measure,
        changed_on as from_on,
        'is weighted, and its weights sum to ' || coalesce(cast(weight as varchar), 'nothing')
        || ' over ' || cast(weight_count as varchar) || ' of ' || cast(component_count as varchar)
        || ' components: give each a weight, together 1' as reason
    from parent
    where structure = 'weighted' and (weight_count < component_count or weight <> 1)

    union all

    select
        parent_code,
        measure,
        changed_on as from_on,
        'is ' || structure || ' and has weights that would not count: leave weight empty' as reason
    from parent
    where structure <> 'weighted' and weight_count > 0

    union all

    select distinct
        top_code as parent_code,
        measure,
        changed_on as from_on,
        'stands on itself: break the circle in service_component.csv' as reason
    from descent
    where component_code = top_code

    union all

    select
        top_code as parent_code,
        measure,
        changed_on as from_on,
        'stands on more than {{ composite_height_limit() }} levels: flatten the tree or raise '
        || 'composite_height_limit' as reason
    from descent
    group by top_code, measure, changed_on
    having max(height) > {{ composite_height_limit() }} and not bool_or(component_code = top_code)
),

final as (
    select
        parent_code,
        measure,
        from_on,
        reason
    from fault
)

select * from final
