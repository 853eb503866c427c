-- Two rules of one kind of leave on one day would leave it open whether its days are paid.
{{ config(meta={'dagster': {'ref': {'name': 'leave_rule'}}}) }}
with rule_order as (
    select
        leave_type,
        effective_from,
        effective_to,
        lead(effective_from) over (partition by leave_type order by effective_from) as next_from
    from {{ ref('leave_rule') }}
)

select *
from rule_order
where
    effective_to < effective_from
    or (next_from is not null and (effective_to is null or effective_to >= next_from))
