-- Regular pay of each person and month of employment: the payroll register's base lines, and for a month the register
-- does not tell (not landed yet, or before the first one landed) the nearest whole month it does tell.
with reporting_period as (
    select * from {{ ref('int_reporting_period') }}
    where period_grain = 'month'
),

incentive_period as (
    select * from {{ ref('int_incentive_period') }}
),

landed_pay_month as (
    select * from {{ ref('int_landed_pay_month') }}
    where source_name = 'payroll'
),

employment as (
    select * from {{ ref('int_employment') }}
    where is_primary and employee_number is not null
),

payroll_line as (
    select * from {{ ref('int_payroll_line') }}
    where earning_role = 'base' and employee_number is not null
),

-- a tax year may have begun up to a year before the first period; a payment may be due after the last one
bounds as (
    select
        {{ add_months('min(period_start_on)', -12) }} as first_on,
        max(period_start_on) as last_on
    from reporting_period
),

last_payment as (
    select max({{ month_code_start('payment_period') }}) as last_on
    from incentive_period
),

day_spine as (
    select
        {{ date_spine('bounds.first_on', 'greatest(bounds.last_on, coalesce(last_payment.last_on, bounds.last_on))') }}
            as day_on
    from bounds
    cross join last_payment
),

month_spine as (
    select distinct
        {{ month_start('day_on') }} as month_start_on,
        {{ add_months(month_start('day_on'), 1) }} as month_end_on,
        {{ month_code('day_on') }} as month_code
    from day_spine
),

registered as (
    select
        employee_number,
        currency_code,
        pay_period as month_code,
        sum(amount) as regular_pay_amount
    from payroll_line
    group by employee_number, currency_code, pay_period
),

employed_month as (
    select
        employment.employee_number,
        month_spine.month_code,
        month_spine.month_start_on,
        min(employment.employed_from_on) <= month_spine.month_start_on
        and max(coalesce(employment.employed_to_on, date '9999-12-31')) >= month_spine.month_end_on as is_whole_month
    from employment
    inner join month_spine
        on
            employment.employed_from_on < month_spine.month_end_on
            and (employment.employed_to_on is null or employment.employed_to_on > month_spine.month_start_on)
    group by
        employment.employee_number, month_spine.month_code, month_spine.month_start_on, month_spine.month_end_on
),

person_currency as (
    select distinct
        employee_number,
        currency_code
    from registered
),

month_told as (
    select
        employed_month.employee_number,
        person_currency.currency_code,
        employed_month.month_code,
        employed_month.month_start_on,
        employed_month.is_whole_month,
        landed_pay_month.month_code is not null as is_told,
        registered.regular_pay_amount
    from employed_month
    inner join person_currency on employed_month.employee_number = person_currency.employee_number
    left join landed_pay_month on employed_month.month_code = landed_pay_month.month_code
    left join registered
        on
            employed_month.employee_number = registered.employee_number
            and person_currency.currency_code = registered.currency_code
            and employed_month.month_code = registered.month_code
),

-- whole months first, then the later of those before, then the earlier of those after
candidate as (
    select
        month_told.employee_number,
        month_told.currency_code,
        month_told.month_code,
        known.regular_pay_amount,
        row_number() over (
            partition by month_told.employee_number, month_told.currency_code, month_told.month_code
            order by
                case when known.is_whole_month then 0 else 1 end,
                case when known.month_code < month_told.month_code then 0 else 1 end,
                abs({{ day_count('known.month_start_on', 'month_told.month_start_on') }})
        ) as candidate_number
    from month_told
    inner join month_told as known
        on
            month_told.employee_number = known.employee_number
            and month_told.currency_code = known.currency_code
            and known.regular_pay_amount is not null
    where not month_told.is_told
),

employed as (
    select
        month_told.employee_number,
        month_told.currency_code,
        month_told.month_code,
        month_told.month_start_on,
        case
            when month_told.is_told then coalesce(month_told.regular_pay_amount, 0)
            else candidate.regular_pay_amount
        end as regular_pay_amount,
        not month_told.is_told as is_projected
    from month_told
    left join candidate
        on
            month_told.employee_number = candidate.employee_number
            and month_told.currency_code = candidate.currency_code
            and month_told.month_code = candidate.month_code
            and candidate.candidate_number = 1
),

-- base pay registered for a month the directory does not know the person for is pay all the same
unemployed as (
    select
        registered.employee_number,
        registered.currency_code,
        registered.month_code,
        {{ month_code_start('registered.month_code') }} as month_start_on,
        registered.regular_pay_amount,
        false as is_projected
    from registered
    left join employed_month
        on
            registered.employee_number = employed_month.employee_number
            and registered.month_code = employed_month.month_code
    where employed_month.employee_number is null
),

final as (
    select
        employee_number,
        currency_code,
        month_code,
        month_start_on,
        cast(regular_pay_amount as decimal(18, 2)) as regular_pay_amount,
        is_projected
    from employed

    union all

    select
        employee_number,
        currency_code,
        month_code,
        month_start_on,
        cast(regular_pay_amount as decimal(18, 2)) as regular_pay_amount,
        is_projected
    from unemployed
)

select * from final
