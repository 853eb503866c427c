-- Two versions of a plan in force on one day would pay the same quarter twice.
with version_order as (
    select
        plan_code,
        plan_version,
        effective_from,
        effective_to,
        lead(effective_from) over (partition by plan_code order by effective_from, plan_version) as next_from
    from {{ ref('incentive_plan') }}
),

failure as (
    select *
    from version_order
    where
        effective_to < effective_from
        or (next_from is not null and (effective_to is null or effective_to >= next_from))
)

select * from failure
