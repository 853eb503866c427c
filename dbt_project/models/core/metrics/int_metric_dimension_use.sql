-- Which dimensions any definition asks for, per observation kind: what nobody asks for does not part the cells.
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

used_dimension as (
    select distinct
        measured_kind.observation_kind,
        asked.dimension_code
    from measured_kind
    inner join asked
        on
            measured_kind.metric_code = asked.metric_code
            and measured_kind.metric_version = asked.metric_version
),

used_entity as (
    select distinct
        measured_kind.observation_kind,
        metric_entity_type.entity_type
    from measured_kind
    inner join metric_entity_type
        on
            measured_kind.metric_code = metric_entity_type.metric_code
            and measured_kind.metric_version = metric_entity_type.metric_version
),

dimension_flag as (
    select
        observation_kind,
    {% for dimension in metric_dimensions() -%}
    bool_or(dimension_code = '{{ dimension }}') as is_{{ dimension }}_used{{ ',' if not loop.last }}
    {% endfor -%}
    from used_dimension
    group by observation_kind
),

entity_flag as (
    select
        observation_kind,
    {% for entity_type in metric_entities() -%}
    bool_or(entity_type = '{{ entity_type }}') as is_{{ entity_type }}_used{{ ',' if not loop.last }}
    {% endfor -%}
    from used_entity
    group by observation_kind
),

final as (
    select
        kind.observation_kind,
        {% for dimension in metric_dimensions() -%}
        coalesce(dimension_flag.is_{{ dimension }}_used, false) as is_{{ dimension }}_used,
        {% endfor -%}
    {% for entity_type in metric_entities() -%}
    coalesce(entity_flag.is_{{ entity_type }}_used, false) as is_{{ entity_type }}_used{{ ',' if not loop.last }}
    {% endfor -%}
    from kind
    left join dimension_flag on kind.observation_kind = dimension_flag.observation_kind
    left join entity_flag on kind.observation_kind = entity_flag.observation_kind
)

select * from final
