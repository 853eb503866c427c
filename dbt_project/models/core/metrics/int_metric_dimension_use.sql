-- Which dimensions any definition asks for, per observation kind and entity type: what nobody asks for does not part
-- the cells.
with metric_definition as (
    select * from {{ ref('int_metric_definition') }}
),

metric_measure as (
    select * from {{ ref('metric_measure') }}
),

metric_entity_type as (
    select * from {{ ref('metric_entity_type') }}
),

metric_filter as (
    select * from {{ ref('metric_filter') }}
),

measured_kind as (
    select
        metric_code,
        metric_version,
        observation_kind
    from metric_definition
    union
    select
        metric_code,
        metric_version,
        denominator_kind as observation_kind
    from metric_definition
),

asked as (
    select
        metric_code,
        metric_version,
        dimension_code
    from metric_filter
    union all
    select
        metric_code,
        metric_version,
        weighting as dimension_code
    from metric_definition
    union all
    select
        metric_code,
        metric_version,
        standardised_by as dimension_code
    from metric_definition
    union all
    select
        metric_code,
        metric_version,
        sample_dimension as dimension_code
    from metric_definition
),

kind as (
    select distinct observation_kind
    from metric_measure
),

entity_spine as (
    {% for entity_type in metric_entities() -%}
    select '{{ entity_type }}' as entity_type
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

asked_of as (
    select
        measured_kind.observation_kind,
        metric_entity_type.entity_type,
        asked.dimension_code
    from measured_kind
    inner join metric_entity_type
        on
            measured_kind.metric_code = metric_entity_type.metric_code
            and measured_kind.metric_version = metric_entity_type.metric_version
    left join asked
        on
            measured_kind.metric_code = asked.metric_code
            and measured_kind.metric_version = asked.metric_version
),

final as (
    select
        kind.observation_kind,
        entity_spine.entity_type,
        count(asked_of.entity_type) > 0 as is_used,
    {% for dimension in metric_dimensions() -%}
    coalesce(bool_or(asked_of.dimension_code = '{{ dimension }}'), false) as is_{{ dimension }}_used
    {{- ',' if not loop.last }}
    {% endfor -%}
    from kind
    cross join entity_spine
    left join asked_of
        on
            kind.observation_kind = asked_of.observation_kind
            and entity_spine.entity_type = asked_of.entity_type
    group by kind.observation_kind, entity_spine.entity_type
)

select * from final
