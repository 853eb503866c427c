{%- set dimensions = metric_dimensions() -%}
-- What each definition takes: per numerator and denominator the measure, and every combination of dimension values its
-- filters let through, with the weight and the stratum of that combination. Settled once per combination, not per cell.
with metric_definition as (
    select * from {{ ref('int_metric_definition') }}
),

metric_filter as (
    select * from {{ ref('metric_filter') }}
),

metric_weight as (
    select * from {{ ref('metric_weight') }}
),

metric_measure as (
    select * from {{ ref('metric_measure') }}
),

metric_cell as (
    select * from {{ ref('int_metric_cell') }}
),

part as (
    select
        metric_code,
        metric_version,
        'numerator' as part_code,
        observation_kind,
        numerator_measure as measure_code,
        weighting,
        standardised_by,
        sample_dimension
    from metric_definition
    union all
    select
        metric_code,
        metric_version,
        'denominator' as part_code,
        denominator_kind as observation_kind,
        denominator_measure as measure_code,
        weighting,
        standardised_by,
        sample_dimension
    from metric_definition
    where denominator_measure is not null
),

combination as (
    select distinct
        observation_kind,
        dimension_key,
        {{ dimensions | join(',\n        ') }}
    from metric_cell
),

dimension_value as (
    {% for dimension in dimensions -%}
    select
        observation_kind,
        dimension_key,
        '{{ dimension }}' as dimension_code,
        {{ dimension }} as dimension_value
    from combination
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

refused as (
    select distinct
        part.metric_code,
        part.metric_version,
        part.part_code,
        dimension_value.dimension_key
    from part
    inner join metric_filter
        on
            part.metric_code = metric_filter.metric_code
            and part.metric_version = metric_filter.metric_version
            and metric_filter.applies_to in ('both', part.part_code)
    inner join dimension_value
        on
            part.observation_kind = dimension_value.observation_kind
            and metric_filter.dimension_code = dimension_value.dimension_code
    where
        metric_filter.is_excluded = (
            dimension_value.dimension_value is not null
            and replace(
                '|' || metric_filter.dimension_values || '|', '|' || dimension_value.dimension_value || '|', ''
            ) <> '|' || metric_filter.dimension_values || '|'
        )
),

final as (
    select
        part.metric_code,
        part.metric_version,
        part.part_code,
        part.observation_kind,
        part.measure_code,
        metric_measure.is_sample,
        combination.dimension_key,
        {% for role in ['standardised_by', 'sample_dimension'] -%}
        coalesce(case part.{{ role }}
            {% for dimension in dimensions -%}
            when '{{ dimension }}' then coalesce(combination.{{ dimension }}, '(none)')
            {% endfor -%}
        end, '') as {{ 'stratum_code' if role == 'standardised_by' else 'sample_code' }},
        {% endfor -%}
        case when part.weighting = 'none' then 1 else coalesce(metric_weight.weight, 0) end as part_weight
    from part
    inner join combination on part.observation_kind = combination.observation_kind
    inner join metric_measure
        on
            part.observation_kind = metric_measure.observation_kind
            and part.measure_code = metric_measure.measure_code
    left join dimension_value
        on
            combination.observation_kind = dimension_value.observation_kind
            and combination.dimension_key = dimension_value.dimension_key
            and part.weighting = dimension_value.dimension_code
    left join metric_weight
        on
            part.metric_code = metric_weight.metric_code
            and part.metric_version = metric_weight.metric_version
            and dimension_value.dimension_code = metric_weight.dimension_code
            and dimension_value.dimension_value = metric_weight.dimension_value
    left join refused
        on
            part.metric_code = refused.metric_code
            and part.metric_version = refused.metric_version
            and part.part_code = refused.part_code
            and combination.dimension_key = refused.dimension_key
    where refused.metric_code is null
)

select * from final
