{#- Fails on rows whose half-open interval [from, to) overlaps the next one of the same partition, or is empty. -#}
{% test no_overlap(model, partition_by, from_column, to_column) %}
with ordered as (
    select
        {{ partition_by | join(', ') }},
        {{ from_column }} as interval_from,
        {{ to_column }} as interval_to,
        lead({{ from_column }}) over (
            partition by {{ partition_by | join(', ') }} order by {{ from_column }}, {{ to_column }}
        ) as next_from
    from {{ model }}
)

select *
from ordered
where interval_to <= interval_from or next_from < interval_to
{% endtest %}
