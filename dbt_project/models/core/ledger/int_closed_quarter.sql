-- Quarters that were closed: nothing may be booked into them any more.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

closed_period as (
    {{ closed_quarters() }}
),

final as (
    select closed_period.earned_quarter
    from closed_period
    cross join run_context
)

select * from final
