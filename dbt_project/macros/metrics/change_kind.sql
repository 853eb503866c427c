{#- What a change of a definition is, by the columns of int_metric_definition in which two versions differ. A column that
    decides a value and is no threshold is part of the formula; a column of neither list decides no value. -#}
{% macro formula_columns() -%}
    {{ return([
        'code_fingerprint', 'aggregation_kind', 'observation_kind', 'numerator_measure', 'denominator_kind',
        'denominator_measure', 'exclusion_policy', 'weighting', 'standardised_by', 'sample_dimension', 'value_basis',
        'value_multiplier', 'value_divisor', 'seasonality_policy', 'shrinkage_policy', 'prior_sample_count',
        'baseline_days', 'phase_in_days', 'unit', 'direction', 'entity_types', 'filter_text', 'weight_text',
    ]) }}
{%- endmacro %}

{% macro threshold_columns() -%}
    {{ return(['confidence_level', 'min_sample_count']) }}
{%- endmacro %}

{#- True where one of the columns differs between two relations. -#}
{% macro any_differs(columns, one, other) -%}
    (
        {% for column in columns -%}
        {{ 'or ' if not loop.first }}{{ one }}.{{ column }} is distinct from {{ other }}.{{ column }}
        {% endfor -%}
    )
{%- endmacro %}
