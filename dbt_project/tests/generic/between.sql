{#- Fails on rows whose value lies outside [from_value, to_value]; nulls pass. -#}
{% test between(model, column_name, from_value, to_value) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} < {{ from_value }} or {{ column_name }} > {{ to_value }}
{% endtest %}
