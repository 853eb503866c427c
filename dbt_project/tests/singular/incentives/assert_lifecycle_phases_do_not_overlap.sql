-- A service in two phases on one day would be weighed twice.
{{ config(meta={'dagster': {'ref': {'name': 'service_lifecycle'}}}) }}
with phase_order as (
    select
        service_code,
        phase,
        effective_from,
        effective_to,
        lead(effective_from) over (partition by service_code order by effective_from) as next_from
    from {{ ref('service_lifecycle') }}
)

select *
from phase_order
where
    effective_to < effective_from
    or (next_from is not null and (effective_to is null or effective_to >= next_from))
