{#- Fails on rows where one of the columns lies outside 0 to 1, and says which; nulls pass. One test for all shares of
    a model: a scan each would cost more than the build. -#}
{% test columns_are_shares(model, columns) %}
select
    {% for column in columns -%}
    {{ column }}{{ ',' if not loop.last }}
    {% endfor %}
from {{ model }}
where
    {% for column in columns -%}
    not {{ column }} between 0 and 1{{ ' or' if not loop.last }}
    {% endfor %}
{% endtest %}
