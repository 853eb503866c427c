-- A person's lines must sum to the half-up cent of the exact total, and no line may stray a whole cent from
-- its exact amount. Calculated anew from the line's own columns, all on whole numbers.
with line as (
    select
        plan_code,
        employee_number,
        earned_quarter,
        currency_code,
        payout_amount,
        {{ exact_integer('target_amount * 100') }} * {{ exact_integer('paid_days_value * 10000') }}
        * {{ exact_integer('weight * 10000') }} * {{ exact_integer('payout_share * 10000') }}
        * {{ exact_integer('gate_share * 10000') }} * {{ exact_integer('eligible_share * 10000') }} as exact_numerator,
        {{ exact_integer('quarter_days') }} * {{ exact_integer('100000000000000000000') }} as denominator
    from {{ ref('fct_incentive_payout') }}
),

total as (
    select
        plan_code,
        employee_number,
        earned_quarter,
        currency_code,
        sum({{ exact_integer('payout_amount * 100') }}) as paid_cents,
        sum(exact_numerator) as exact_numerator,
        max(denominator) as denominator,
        max(abs({{ exact_integer('payout_amount * 100') }} * denominator - exact_numerator))
            as largest_line_error
    from line
    group by plan_code, employee_number, earned_quarter, currency_code
),

-- half up means -1/2 < paid - exact <= 1/2
failure as (
    select *
    from total
    where
        2 * (paid_cents * denominator - exact_numerator) > denominator
        or 2 * (paid_cents * denominator - exact_numerator) <= -denominator
        or largest_line_error >= denominator
)

select * from failure
