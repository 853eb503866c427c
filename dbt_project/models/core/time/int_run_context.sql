with run_context as (
    select * from {{ source('landing', 'run_context') }}
),

latest as (
    select
        run_id,
        {{ whole_second('as_of_at') }} as as_of_at,
        as_of_policy
    from run_context
    qualify row_number() over (order by started_at desc nulls last, run_id desc) = 1
)

select * from latest
