{%- set dimensions = metric_dimensions() -%}
{%- set entities = metric_entities() -%}
-- The one pass over what was observed: each observation table is read once and grouped, for all entity types at a time,
-- to (slice of time, entity, dimension values). Every definition is computed from these cells.
with metric_day as (
    select * from {{ ref('int_metric_day') }}
),

metric_measure as (
    select * from {{ ref('metric_measure') }}
),

dimension_use as (
    select * from {{ ref('int_metric_dimension_use') }}
),
{% for kind, observation in metric_observations().items() %}
{{ kind }}_observation as (
    select * from {{ ref(observation.model) }}
),
{% endfor %}
{%- for kind, observation in metric_observations().items() %}
{{ kind }}_placed as (
    select
        metric_day.slice_from_on,
        metric_day.month_on,
        {% for entity_type, column in entities.items() -%}
        case when dimension_use.is_{{ entity_type }}_used then {{ kind }}_observation.{{ column }} end as {{ column }},
        {% endfor -%}
        {{ metric_dimension_columns(kind ~ '_observation', 'dimension_use') }},
    {%- for measure in observation.measures %}
    {{ kind }}_observation.{{ measure }}{{ ',' if not loop.last }}
    {%- endfor %}
    from {{ kind }}_observation
    inner join metric_day on cast({{ kind }}_observation.observed_at as date) = metric_day.day_on
    inner join dimension_use on dimension_use.observation_kind = '{{ kind }}'
),

{{ kind }}_group as (
    select
        slice_from_on,
        month_on,
        {{ entities.values() | join(',\n        ') }},
        {{ dimensions | join(',\n        ') }},
        {{ metric_measure_sums(observation.measures) }}
    from {{ kind }}_placed
    group by grouping sets (
        {%- for column in entities.values() %}
        (slice_from_on, month_on, {{ column }}, {{ dimensions | join(', ') }}){{ ',' if not loop.last }}
        {%- endfor %}
    )
),

-- the key once per group, not once per measure
{{ kind }}_keyed as (
    select
        *,
        {{ metric_dimension_key("'" ~ kind ~ "'", kind ~ '_group') }} as dimension_key
    from {{ kind }}_group
    where coalesce(
            {%- for column in entities.values() %}
            {{ kind }}_group.{{ column }}{{ ',' if not loop.last }}
            {%- endfor %}
        ) is not null
),

{{ kind }}_cell as (
    select
        '{{ kind }}' as observation_kind,
        case
            {% for entity_type, column in entities.items() -%}
            when {{ kind }}_keyed.{{ column }} is not null then '{{ entity_type }}'
            {% endfor -%}
        end as entity_type,
        coalesce(
            {%- for column in entities.values() %}
            {{ kind }}_keyed.{{ column }}{{ ',' if not loop.last }}
            {%- endfor %}
        ) as entity_code,
        {{ kind }}_keyed.slice_from_on,
        {{ kind }}_keyed.month_on,
        {% for dimension in dimensions -%}
        {{ kind }}_keyed.{{ dimension }},
        {% endfor -%}
        {{ kind }}_keyed.dimension_key,
        metric_measure.measure_code,
        {%- for part, suffix in {
            'measured_value': '', 'observation_count': '_observations', 'square_value': '_squares',
            'product_value': '_products', 'whole_square_value': '_whole_squares',
        }.items() %}
    case metric_measure.measure_code
        {% for measure in observation.measures -%}
        when '{{ measure }}' then {{ kind }}_keyed.{{ measure }}{{ suffix }}
        {% endfor -%}
    end as {{ part }}{{ ',' if not loop.last }}
    {%- endfor %}
    from {{ kind }}_keyed
    inner join metric_measure on metric_measure.observation_kind = '{{ kind }}'
),
{% endfor %}
all_cells as (
    {% for kind in metric_observations() -%}
    select * from {{ kind }}_cell
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

final as (
    select
        observation_kind,
        entity_type,
        entity_code,
        slice_from_on,
        month_on,
        dimension_key,
        {{ dimensions | join(',\n        ') }},
        measure_code,
        {{ exact_integer('measured_value') }} as measured_value,
        observation_count,
        {{ exact_integer('square_value') }} as square_value,
        {{ exact_integer('product_value') }} as product_value,
        {{ exact_integer('whole_square_value') }} as whole_square_value
    from all_cells
    where observation_count > 0
)

select * from final
