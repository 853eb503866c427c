{#- Fails on rows whose parts do not sum exactly to the total; a null part or total fails too. -#}
{% test parts_sum_to_total(model, column_name, parts) %}
select *
from {{ model }}
where {{ column_name }} is distinct from ({{ parts | join(' + ') }})
{% endtest %}
