-- Two clawback rules of a reason and country in force on one day would take the same pay back twice. Both ends of a
-- rule are days in force.
with rule as (
    select
        reason,
        country_code,
        effective_from,
        effective_to,
        lead(effective_from) over (partition by reason, country_code order by effective_from) as next_from
    from {{ ref('clawback_rule') }}
)

select *
from rule
where effective_to < effective_from or next_from <= coalesce(effective_to, date '9999-12-31')
