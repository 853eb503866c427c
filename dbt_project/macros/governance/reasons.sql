{#- Whether one of the codes stands in a list of reasons joined by commas; a null list holds none. -#}
{% macro has_reason(reasons, codes) -%}
(
    {%- for code in codes -%}
    ', ' || coalesce({{ reasons }}, '') || ',' like '%, {{ code }},%'
    {%- if not loop.last %} or {% endif -%}
    {%- endfor -%}
)
{%- endmacro %}
