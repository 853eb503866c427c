-- Where the run stands in the calendar of payments: what is over, and into which month a correction goes.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

incentive_period as (
    select * from {{ ref('int_incentive_period') }}
),

closed_quarter as (
    select * from {{ ref('int_closed_quarter') }}
),

moment as (
    select
        run_id,
        as_of_at,
        {{ month_code('as_of_at') }} as as_of_month
    from run_context
),

-- a payment month is open until it is over, or until the quarter paid in it is closed
next_payment as (
    select min(incentive_period.payment_period) as payment_period
    from incentive_period
    cross join moment
    left join closed_quarter on incentive_period.earned_quarter = closed_quarter.earned_quarter
    where incentive_period.payment_period >= moment.as_of_month and closed_quarter.earned_quarter is null
),

final as (
    select
        moment.run_id,
        moment.as_of_at,
        moment.as_of_month,
        coalesce(next_payment.payment_period, moment.as_of_month) as next_payment_period
    from moment
    cross join next_payment
)

select * from final
