{# Sums of the measures of an observation: of each its sum, how many there are, and for intervals its squares, as far as
   a definition asks (is_..._used, is_..._squared). A measure that is a part of a whole (measures: {measure: whole or
   none}) brings the products and the whole's squares as well. All are counted: where no value is missing, the engine
   counts the rows once for all measures. #}
{% macro metric_measure_sums(measures) -%}
    {%- for measure, whole in measures.items() -%}
        sum(case when is_{{ measure }}_used then {{ measure }} end) as {{ measure }},
        count({{ measure }}) as {{ measure }}_observations,
        {% if whole is none -%}
        {{ exact_integer('null') }} as {{ measure }}_squares,
        {{ exact_integer('null') }} as {{ measure }}_products,
        {{ exact_integer('null') }} as {{ measure }}_whole_squares
        {%- else -%}
        sum(case when is_{{ measure }}_squared then {{ multiplied_exactly(measure, measure) }} end)
            as {{ measure }}_squares,
        sum(case when is_{{ measure }}_squared then {{ multiplied_exactly(measure, whole) }} end)
            as {{ measure }}_products,
        sum(case when is_{{ measure }}_squared then {{ multiplied_exactly(whole, whole) }} end)
            as {{ measure }}_whole_squares
        {%- endif -%}
        {{ ',\n        ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
