{#- Fails on combinations of columns that occur more than once: the grain is not what the description says.
    Nulls count as a value of their own. -#}
{% test unique_combination(model, columns) %}
select
    {{ columns | join(', ') }},
    count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
