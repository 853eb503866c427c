{%- set dimensions = metric_dimensions() -%}
{%- set entities = metric_entities() -%}
{%- set observations = metric_observations() -%}
-- What was observed, grouped once for all entity types to (slice of time, entity, dimension values): every definition
-- is computed from these cells. Of an entity type only the measures are kept, and only the dimensions told apart, that
-- a definition of it asks for. The grouping compares one number in place of seven dimension values; a reading of the
-- dimensions alone says which values a number stands for, and stops the run should two combinations share one.
with metric_day as (
    select * from {{ ref('int_metric_day') }}
),

metric_definition as (
    select * from {{ ref('int_metric_definition') }}
),

metric_entity_type as (
    select * from {{ ref('metric_entity_type') }}
),

dimension_use as (
    select * from {{ ref('int_metric_dimension_use') }}
),
{% for kind, observation in observations.items() %}
-- read twice from the table, which is cheaper than keeping every observation in memory between
{{ kind }}_observation as not materialized (
    select * from {{ ref(observation.model) }}
),
{% endfor %}
taken_measure as (
    select
        metric_code,
        metric_version,
        observation_kind,
        numerator_measure as measure_code,
        {{ metric_interval_reads_squares('aggregation_kind') }} as is_squared
    from metric_definition
    union all
    select
        metric_code,
        metric_version,
        denominator_kind as observation_kind,
        denominator_measure as measure_code,
        false as is_squared
    from metric_definition
    where denominator_measure is not null
),

measure_use as (
    select
        taken_measure.observation_kind,
        metric_entity_type.entity_type,
        taken_measure.measure_code,
        bool_or(taken_measure.is_squared) as is_squared
    from taken_measure
    inner join metric_entity_type
        on
            taken_measure.metric_code = metric_entity_type.metric_code
            and taken_measure.metric_version = metric_entity_type.metric_version
    group by taken_measure.observation_kind, metric_entity_type.entity_type, taken_measure.measure_code
),

-- all that is asked of a kind in one row
kind_use as (
    select
        dimension_use.observation_kind,
        {% for entity_type in entities -%}
        bool_or(dimension_use.entity_type = '{{ entity_type }}' and dimension_use.is_used) as is_{{ entity_type }}_used,
        {% for dimension in dimensions -%}
        bool_or(dimension_use.entity_type = '{{ entity_type }}' and dimension_use.is_{{ dimension }}_used)
            as is_{{ dimension }}_used_of_{{ entity_type }},
        {% endfor -%}
        {% endfor -%}
    {% for dimension in dimensions -%}
    bool_or(dimension_use.is_{{ dimension }}_used) as is_{{ dimension }}_used{{ ',' if not loop.last }}
    {% endfor -%}
    from dimension_use
    group by dimension_use.observation_kind
),
{% for kind, observation in observations.items() %}
{{ kind }}_use as (
    select
        kind_use.*,
    {% for measure in observation.measures -%}
    coalesce(bool_or(measure_use.measure_code = '{{ measure }}'), false) as is_{{ measure }}_used,
    coalesce(bool_or(measure_use.measure_code = '{{ measure }}' and measure_use.is_squared), false)
        as is_{{ measure }}_squared{{ ',' if not loop.last }}
    {% endfor -%}
    from kind_use
    left join measure_use on kind_use.observation_kind = measure_use.observation_kind
    where kind_use.observation_kind = '{{ kind }}'
    group by all
),

{{ kind }}_combination as (
    select distinct
        '{{ kind }}' as observation_kind,
        {{ metric_dimension_columns(kind ~ '_observation', kind ~ '_use') }}
    from {{ kind }}_observation
    cross join {{ kind }}_use
),
{% endfor %}
combination as (
    {% for kind in observations -%}
    select * from {{ kind }}_combination
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

entity_combination as (
    select distinct
        combination.observation_kind,
        dimension_use.entity_type,
        {{ metric_dimension_columns('combination', 'dimension_use') }}
    from combination
    inner join dimension_use on combination.observation_kind = dimension_use.observation_kind
),

numbered_combination as (
    select
        *,
        {{ metric_combination_number('entity_combination') }} as combination_number,
        {{ metric_dimension_key('observation_kind', 'entity_combination') }} as dimension_key
    from entity_combination
),

keyed_combination as (
    select
        *,
        case
            when count(*) over (partition by observation_kind, entity_type, combination_number) > 1
                then {{ stop_run("'two combinations of dimension values have one number'") }}
            else dimension_key
        end as told_key
    from numbered_combination
),
{% for kind, observation in observations.items() %}
{{ kind }}_placed as (
    select
        metric_day.slice_from_on,
        {% for entity_type, column in entities.items() -%}
        case when {{ kind }}_use.is_{{ entity_type }}_used then {{ kind }}_observation.{{ column }} end as {{ column }},
        {{ metric_combination_number(kind ~ '_observation', kind ~ '_use', entity_type) }} as {{ entity_type }}_number,
        {% endfor -%}
    {% for measure in observation.measures -%}
    {{ kind }}_use.is_{{ measure }}_used,
    {{ kind }}_use.is_{{ measure }}_squared,
    {{ kind }}_observation.{{ measure }}{{ ',' if not loop.last }}
    {% endfor -%}
    from {{ kind }}_observation
    cross join {{ kind }}_use
    inner join metric_day on cast({{ kind }}_observation.observed_at as date) = metric_day.day_on
),

{{ kind }}_group as (
    select
        slice_from_on,
        case
            {% for entity_type in entities -%}
            when {{ entity_type }}_number is not null then '{{ entity_type }}'
            {% endfor -%}
        end as entity_type,
        coalesce({{ entities.values() | join(', ') }}) as entity_code,
        coalesce(
            {%- for entity_type in entities %}
            {{ entity_type }}_number{{ ',' if not loop.last }}
            {%- endfor %}
        ) as combination_number,
        {{ metric_measure_sums(observation.measures) }}
    from {{ kind }}_placed
    group by grouping sets (
        {%- for entity_type, column in entities.items() %}
        (slice_from_on, {{ entity_type }}_number, {{ column }}){{ ',' if not loop.last }}
        {%- endfor %}
    )
),

{{ kind }}_cell as (
    select
        measure_use.observation_kind,
        measure_use.entity_type,
        {{ kind }}_group.entity_code,
        {{ kind }}_group.slice_from_on,
        {{ kind }}_group.combination_number,
        measure_use.measure_code,
        measure_use.is_squared,
        {%- for part, suffix in {
            'measured_value': '', 'observation_count': '_observations', 'square_value': '_squares',
            'product_value': '_products', 'whole_square_value': '_whole_squares',
        }.items() %}
    case measure_use.measure_code
        {% for measure in observation.measures -%}
        when '{{ measure }}' then {{ kind }}_group.{{ measure }}{{ suffix }}
        {% endfor -%}
    end as {{ part }}{{ ',' if not loop.last }}
    {%- endfor %}
    from {{ kind }}_group
    inner join measure_use
        on
            measure_use.observation_kind = '{{ kind }}'
            and {{ kind }}_group.entity_type = measure_use.entity_type
    where {{ kind }}_group.entity_code is not null
),
{% endfor %}
all_cells as (
    {% for kind in observations -%}
    select * from {{ kind }}_cell
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

final as (
    select
        all_cells.observation_kind,
        all_cells.entity_type,
        all_cells.entity_code,
        all_cells.slice_from_on,
        {{ month_start('all_cells.slice_from_on') }} as month_on,
        keyed_combination.told_key as dimension_key,
        {% for dimension in dimensions -%}
        keyed_combination.{{ dimension }},
        {% endfor -%}
        all_cells.measure_code,
        {{ exact_integer_64('all_cells.measured_value') }} as measured_value,
        all_cells.observation_count,
        {{ exact_integer('case when all_cells.is_squared then all_cells.square_value end') }} as square_value,
        {{ exact_integer('case when all_cells.is_squared then all_cells.product_value end') }} as product_value,
        {{ exact_integer('case when all_cells.is_squared then all_cells.whole_square_value end') }}
            as whole_square_value
    from all_cells
    inner join keyed_combination
        on
            all_cells.observation_kind = keyed_combination.observation_kind
            and all_cells.entity_type = keyed_combination.entity_type
            and all_cells.combination_number = keyed_combination.combination_number
    where all_cells.observation_count > 0
)

select * from final
