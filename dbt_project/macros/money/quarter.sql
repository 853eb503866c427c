{#- Calendar quarters and months as pay names them. -#}

{#- First day of the date's quarter. -#}
{% macro quarter_start(date_on) -%}
    cast(date_trunc('quarter', {{ date_on }}) as date)
{%- endmacro %}

{#- First day of the date's month. -#}
{% macro month_start(date_on) -%}
    cast(date_trunc('month', {{ date_on }}) as date)
{%- endmacro %}

{#- '2025-Q1' of any day in the quarter. -#}
{% macro quarter_code(date_on) -%}
    cast(year({{ date_on }}) as varchar) || '-Q' || cast(quarter({{ date_on }}) as varchar)
{%- endmacro %}

{#- '2025-03' of any day in the month. -#}
{% macro month_code(date_on) -%}
    cast(year({{ date_on }}) as varchar) || '-' || lpad(cast(month({{ date_on }}) as varchar), 2, '0')
{%- endmacro %}

{#- First day of a month given as '2025-03'; null when the text is not a month. -#}
{% macro month_code_start(month_code) -%}
    try_cast({{ month_code }} || '-01' as date)
{%- endmacro %}
