-- Each person's payment of a month held against wage and hour law: is what is left per hour at least the minimum wage,
-- and what does a nondiscretionary bonus add to the overtime pay of the weeks it was earned in.
with payment_line as (
    select * from {{ ref('fct_payment_line') }}
    where line_state <> 'waiting'
),

payment_class as (
    select * from {{ ref('payment_class') }}
),

regular_pay as (
    select * from {{ ref('int_regular_pay') }}
),

worked_day as (
    select * from {{ ref('int_worked_day') }}
),

worked_week as (
    select * from {{ ref('int_worked_week') }}
),

earned as (
    select
        employee_number,
        coalesce(country_code, '') as country_code,
        currency_code,
        payment_period,
        earned_quarter,
        earning_kind,
        {{ month_code_start('payment_period') }} as month_start_on,
        {{ add_days(add_months(month_code_start('payment_period'), 1), -1) }} as month_last_on,
        sum(amount) as earned_amount
    from payment_line
    group by employee_number, coalesce(country_code, ''), currency_code, payment_period, earned_quarter, earning_kind
),

classed as (
    select
        earned.*,
        payment_class.payment_class,
        case
            when earned.earned_amount < 0 then 0
            when coalesce(payment_class.is_counted_to_minimum_wage, false) then earned.earned_amount
            else 0
        end as counted_amount,
        case when earned.earned_amount < 0 then -earned.earned_amount else 0 end as deducted_amount,
        case
            when payment_class.regular_rate_treatment = 'included'
                then {{ integer_units('earned.earned_amount', 2) }}
            else 0
        end as included_cents
    from earned
    left join payment_class
        on
            earned.country_code = payment_class.country_code
            and earned.earning_kind = payment_class.earning_kind
            and earned.month_last_on >= payment_class.effective_from
            and earned.month_last_on <= coalesce(payment_class.effective_to, date '9999-12-31')
),

-- the kinds of a quarter together: what one of them takes back, an advance that is set off, lowers what the others add
-- to the regular rate
classed_quarter as (
    select
        employee_number,
        country_code,
        currency_code,
        payment_period,
        earned_quarter,
        month_start_on,
        month_last_on,
        sum(earned_amount) as earned_amount,
        sum(counted_amount) as counted_amount,
        sum(deducted_amount) as deducted_amount,
        greatest(sum(included_cents), 0) as included_cents,
        min(case when payment_class is null then 0 else 1 end) = 1 as is_classed
    from classed
    group by
        employee_number, country_code, currency_code, payment_period, earned_quarter, month_start_on, month_last_on
),

-- 29 CFR 778.209(b): a bonus that belongs to no single week is laid on the weeks worked in equal amounts; the week's
-- part per hour, times the premium, for each hour of overtime. The quotient is kept to nine places.
overtime_week as (
    select
        employee_number,
        earned_quarter,
        overtime_seconds,
        overtime_premium_share,
        {{ round_half_up_integer(exact_integer('overtime_seconds') ~ ' * 1000000000', 'worked_seconds') }}
            as overtime_billionths
    from worked_week
    where worked_seconds > 0
),

overtime_quarter as (
    select
        employee_number,
        earned_quarter,
        count(*) as week_count,
        sum(overtime_seconds) as overtime_seconds,
        sum(overtime_billionths * {{ integer_units('coalesce(overtime_premium_share, 0)', 4) }}) as premium_units
    from overtime_week
    group by employee_number, earned_quarter
),

limit_quarter as (
    select
        employee_number,
        earned_quarter,
        sum(case when maximum_seconds is not null then worked_seconds else 0 end)
        > sum(coalesce(maximum_seconds, 0)) as is_above_maximum,
        sum(case when worked_seconds > maximum_seconds then 1 else 0 end) as long_week_count
    from worked_week
    where worked_seconds > 0
    group by employee_number, earned_quarter
),

per_quarter as (
    select
        classed_quarter.*,
        coalesce(overtime_quarter.overtime_seconds, 0) as overtime_seconds,
        coalesce(limit_quarter.is_above_maximum, false) as is_above_maximum,
        coalesce(limit_quarter.long_week_count, 0) as long_week_count,
        coalesce(
            {{ round_half_up_integer(
                exact_integer('classed_quarter.included_cents') ~ ' * overtime_quarter.premium_units',
                exact_integer('overtime_quarter.week_count') ~ ' * 10000000000000'
            ) }},
            0
        ) as overtime_due_cents
    from classed_quarter
    left join overtime_quarter
        on
            classed_quarter.employee_number = overtime_quarter.employee_number
            and classed_quarter.earned_quarter = overtime_quarter.earned_quarter
    left join limit_quarter
        on
            classed_quarter.employee_number = limit_quarter.employee_number
            and classed_quarter.earned_quarter = limit_quarter.earned_quarter
),

payment as (
    select
        employee_number,
        country_code,
        currency_code,
        payment_period,
        month_start_on,
        month_last_on,
        {{ string_list('earned_quarter', 'earned_quarter') }} as earned_quarters,
        sum(earned_amount) as earned_amount,
        sum(counted_amount) as counted_amount,
        sum(deducted_amount) as deducted_amount,
        bool_and(is_classed) as is_classed,
        sum(overtime_seconds) as overtime_seconds,
        sum(overtime_due_cents) as overtime_due_cents,
        max(case when is_above_maximum then 1 else 0 end) = 1 as is_above_maximum,
        sum(long_week_count) as long_week_count
    from per_quarter
    group by employee_number, country_code, currency_code, payment_period, month_start_on, month_last_on
),

-- seconds times cents an hour: the minimum of a month in which it changed is the sum of both parts
month_hours as (
    select
        payment.employee_number,
        payment.currency_code,
        payment.payment_period,
        max_by(worked_day.jurisdiction_code, worked_day.day_on) as jurisdiction_code,
        max_by(worked_day.exempt_status, worked_day.day_on) as exempt_status,
        sum(worked_day.paid_seconds) as paid_seconds,
        max(case when worked_day.paid_seconds is null then 1 else 0 end) = 1 as is_hours_unknown,
        max(
            case
                when worked_day.paid_seconds > 0 and worked_day.minimum_hourly_amount is null then 1
                when worked_day.paid_seconds > 0 and worked_day.minimum_currency_code <> payment.currency_code then 1
                else 0
            end
        ) = 1 as is_minimum_unknown,
        sum(
            {{ exact_integer('worked_day.paid_seconds') }}
            * {{ integer_units('worked_day.minimum_hourly_amount', 2) }}
        ) as minimum_units,
        max(worked_day.margin_share) as margin_share
    from payment
    inner join worked_day
        on
            payment.employee_number = worked_day.employee_number
            and payment.month_start_on <= worked_day.day_on
            and payment.month_last_on >= worked_day.day_on
    group by payment.employee_number, payment.currency_code, payment.payment_period
),

-- months whose regular pay is known, in whatever currency
paid_currency as (
    select
        employee_number,
        month_code,
        min(currency_code) as first_currency_code
    from regular_pay
    where regular_pay_amount is not null
    group by employee_number, month_code
),

figured as (
    select
        payment.*,
        month_hours.jurisdiction_code,
        month_hours.exempt_status,
        coalesce(month_hours.paid_seconds, 0) as paid_seconds,
        coalesce(month_hours.is_hours_unknown, false) as is_hours_unknown,
        coalesce(month_hours.is_minimum_unknown, false) as is_minimum_unknown,
        coalesce(month_hours.minimum_units, 0) as minimum_units,
        coalesce({{ integer_units('month_hours.margin_share', 4) }}, 0) as margin_units,
        regular_pay.regular_pay_amount,
        regular_pay.regular_pay_amount is null
        and paid_currency.first_currency_code is not null as is_other_currency,
        coalesce(regular_pay.is_projected, false) as is_projected,
        {{ integer_units(
            'coalesce(regular_pay.regular_pay_amount, 0) + payment.counted_amount - payment.deducted_amount', 2
        ) }} as wage_cents
    from payment
    left join month_hours
        on
            payment.employee_number = month_hours.employee_number
            and payment.currency_code = month_hours.currency_code
            and payment.payment_period = month_hours.payment_period
    left join regular_pay
        on
            payment.employee_number = regular_pay.employee_number
            and payment.currency_code = regular_pay.currency_code
            and payment.payment_period = regular_pay.month_code
    left join paid_currency
        on
            payment.employee_number = paid_currency.employee_number
            and payment.payment_period = paid_currency.month_code
),

judged as (
    select
        *,
        case
            when is_other_currency then 'currency_differs'
            when is_hours_unknown then 'hours_unknown'
            when not is_classed then 'class_unknown'
            when is_minimum_unknown then 'minimum_unknown'
            when paid_seconds > 0 and regular_pay_amount is null then 'pay_unknown'
            when paid_seconds > 0 and wage_cents * 3600 < minimum_units then 'below_minimum'
            when overtime_due_cents > 0 then 'overtime_due'
            when is_above_maximum then 'hours_above_maximum'
            when
                paid_seconds > 0 and wage_cents * 3600 * 10000 < minimum_units * (10000 + margin_units)
                then 'near_minimum'
            else 'met'
        end as wage_status,
        {{ round_half_up_integer('wage_cents * 3600', 'paid_seconds') }} as hourly_cents,
        {{ round_half_up_integer('minimum_units', 'paid_seconds') }} as minimum_hourly_cents,
        {{ round_half_up_integer('minimum_units', '3600') }} as required_cents
    from figured
),

final as (
    select
        cast({{ md5_of(['employee_number', 'country_code', 'currency_code', 'payment_period']) }} as varchar)
            as wage_compliance_key,
        cast(employee_number as varchar) as employee_number,
        cast(payment_period as varchar) as payment_period,
        cast(earned_quarters as varchar) as earned_quarters,
        cast(country_code as varchar) as country_code,
        cast(jurisdiction_code as varchar) as jurisdiction_code,
        cast(exempt_status as varchar) as exempt_status,
        cast(currency_code as varchar) as currency_code,
        cast(regular_pay_amount as decimal(18, 2)) as regular_pay_amount,
        cast(is_projected as boolean) as is_projected,
        cast(earned_amount as decimal(18, 2)) as earned_amount,
        cast(counted_amount as decimal(18, 2)) as counted_amount,
        cast(deducted_amount as decimal(18, 2)) as deducted_amount,
        cast({{ from_integer_units('wage_cents', 2) }} as decimal(18, 2)) as wage_amount,
        cast(paid_seconds as bigint) as paid_seconds,
        cast({{ from_integer_units('required_cents', 2) }} as decimal(18, 2)) as required_amount,
        cast({{ from_integer_units('hourly_cents', 2) }} as decimal(18, 2)) as hourly_wage_amount,
        cast({{ from_integer_units('minimum_hourly_cents', 2) }} as decimal(18, 2)) as minimum_hourly_amount,
        cast(overtime_seconds as bigint) as overtime_seconds,
        cast({{ from_integer_units('overtime_due_cents', 2) }} as decimal(18, 2)) as overtime_due_amount,
        cast(long_week_count as integer) as long_week_count,
        cast(wage_status as varchar) as wage_status,
        cast(
            wage_status in (
                'currency_differs', 'hours_unknown', 'class_unknown', 'minimum_unknown', 'pay_unknown', 'below_minimum'
            ) as boolean
        ) as is_blocked,
        cast(
            case wage_status
                when 'currency_differs' then 'Regular pay of the month is in another currency than the payment.'
                when 'hours_unknown' then 'The country has no working week and the day no hours.'
                when 'class_unknown' then 'The country does not class the earning.'
                when 'minimum_unknown' then 'No minimum wage of the country, day and currency is known.'
                when 'pay_unknown' then 'Hours were worked and no regular pay of the month is known.'
                when 'below_minimum'
                    then
                        'Wage of the month ' || cast({{ from_integer_units('wage_cents', 2) }} as varchar) || ' '
                        || currency_code || ' is below the minimum of '
                        || cast({{ from_integer_units('required_cents', 2) }} as varchar) || ' for its hours.'
                when 'overtime_due'
                    then
                        'Pay ' || cast({{ from_integer_units('overtime_due_cents', 2) }} as varchar) || ' '
                        || currency_code || ' more: the bonus raises the regular rate of '
                        || cast({{ int_div('overtime_seconds', '60') }} as varchar) || ' minutes of overtime.'
                when 'hours_above_maximum' then 'Average weekly hours of the quarter exceed what the law allows.'
                when 'near_minimum'
                    then
                        'Wage per hour ' || cast({{ from_integer_units('hourly_cents', 2) }} as varchar) || ' '
                        || currency_code || ' lies within the margin above the minimum of '
                        || cast({{ from_integer_units('minimum_hourly_cents', 2) }} as varchar) || '.'
                else case when paid_seconds = 0 then 'No hours in the month.' else 'Above the minimum wage.' end
            end as varchar
        ) as reason
    from judged
)

select * from final
