{#- Fails on rows where one of the columns is null. One test for all required columns of a model: a scan each would
    cost more than the build. -#}
{% test columns_are_given(model, columns) %}
select *
from {{ model }}
where
    {% for column in columns -%}
    {{ column }} is null{{ ' or' if not loop.last }}
    {% endfor %}
{% endtest %}
