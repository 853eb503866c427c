-- A value without a weight (or with none above 0) would drop its observations out of a weighted metric unseen; a
-- priority needs its weight whether a ticket of it was met already or not.
{{ config(meta={'dagster': {'ref': {'name': 'metric_weight'}}}) }}
with priority_spine as (
    select
        'priority' as dimension_code,
        cast({{ number_spine('1', '5') }} as varchar) as dimension_value
),

observed as (
    {% for dimension in metric_dimensions() -%}
    select distinct
        metric_part.metric_code,
        metric_part.metric_version,
        '{{ dimension }}' as dimension_code,
        cell.{{ dimension }} as dimension_value
    from {{ ref('int_metric_part') }} as metric_part
    inner join {{ ref('int_metric_cell') }} as cell
        on
            metric_part.dimension_key = cell.dimension_key
            and metric_part.observation_kind = cell.observation_kind
    inner join {{ ref('metric_entity_type') }} as metric_entity_type
        on
            metric_part.metric_code = metric_entity_type.metric_code
            and metric_part.metric_version = metric_entity_type.metric_version
            and cell.entity_type = metric_entity_type.entity_type
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

needed as (
    select
        metric_definition.metric_code,
        metric_definition.metric_version,
        metric_definition.weighting,
        observed.dimension_value
    from {{ ref('metric_definition') }} as metric_definition
    inner join observed
        on
            metric_definition.metric_code = observed.metric_code
            and metric_definition.metric_version = observed.metric_version
            and metric_definition.weighting = observed.dimension_code
    union
    select
        metric_definition.metric_code,
        metric_definition.metric_version,
        metric_definition.weighting,
        priority_spine.dimension_value
    from {{ ref('metric_definition') }} as metric_definition
    inner join priority_spine on metric_definition.weighting = priority_spine.dimension_code
),

failure as (
    select
        needed.metric_code,
        needed.metric_version,
        needed.weighting,
        needed.dimension_value,
        metric_weight.weight
    from needed
    left join {{ ref('metric_weight') }} as metric_weight
        on
            needed.metric_code = metric_weight.metric_code
            and needed.metric_version = metric_weight.metric_version
            and needed.weighting = metric_weight.dimension_code
            and needed.dimension_value = metric_weight.dimension_value
    where coalesce(metric_weight.weight, 0) <= 0

    union all

    select
        metric_weight.metric_code,
        metric_weight.metric_version,
        metric_weight.dimension_code as weighting,
        metric_weight.dimension_value,
        metric_weight.weight
    from {{ ref('metric_weight') }} as metric_weight
    inner join {{ ref('metric_definition') }} as metric_definition
        on
            metric_weight.metric_code = metric_definition.metric_code
            and metric_weight.metric_version = metric_definition.metric_version
    where metric_weight.dimension_code <> metric_definition.weighting
)

select * from failure
