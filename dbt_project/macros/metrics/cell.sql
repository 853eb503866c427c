{# Sums of the measures of an observation: of each its sum, how many there are, and for intervals its squares. A measure
   that is a part of a whole (measures: {measure: whole or none}) brings the products and the whole's squares as well. #}
{% macro metric_measure_sums(measures) -%}
    {%- for measure, whole in measures.items() -%}
        sum({{ measure }}) as {{ measure }},
        count({{ measure }}) as {{ measure }}_observations,
        {% if whole is none -%}
        {{ exact_integer('null') }} as {{ measure }}_squares,
        {{ exact_integer('null') }} as {{ measure }}_products,
        {{ exact_integer('null') }} as {{ measure }}_whole_squares
        {%- else -%}
        sum({{ exact_integer(measure) }} * {{ measure }}) as {{ measure }}_squares,
        sum({{ exact_integer(measure) }} * {{ whole }}) as {{ measure }}_products,
        sum({{ exact_integer(whole) }} * {{ whole }}) as {{ measure }}_whole_squares
        {%- endif -%}
        {{ ',\n        ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
