{#- Fails on rows where one of the columns is below zero (a duration or count that runs backwards), and says which.
    One test for all measures of a model: a scan each would cost more than the build. -#}
{% test columns_are_not_negative(model, columns) %}
select
    {% for column in columns -%}
    {{ column }}{{ ',' if not loop.last }}
    {% endfor %}
from {{ model }}
where
    {% for column in columns -%}
    {{ column }} < 0{{ ' or' if not loop.last }}
    {% endfor %}
{% endtest %}
