-- What each tax of the country takes of each payment, by the rule in force on the day of payment. A tax by brackets is
-- the difference of two points on its scale: the pay of the tax year with this payment, and without it.
with payment_line as (
    select * from {{ ref('fct_payment_line') }}
    where line_state <> 'waiting'
),

payment_class as (
    select * from {{ ref('payment_class') }}
),

withholding_rule as (
    select * from {{ ref('withholding_rule') }}
),

withholding_bracket as (
    select * from {{ ref('withholding_bracket') }}
),

employment_term as (
    select * from {{ ref('int_employment_term') }}
),

regular_pay as (
    select * from {{ ref('int_regular_pay') }}
),

payroll_line as (
    select * from {{ ref('int_payroll_line') }}
    where earning_role = 'incentive' and amount <> 0
),

payment as (
    select
        employee_number,
        earned_quarter,
        payment_period,
        coalesce(country_code, '') as country_code,
        currency_code,
        earning_kind,
        sum(amount) as gross_amount
    from payment_line
    group by employee_number, earned_quarter, payment_period, coalesce(country_code, ''), currency_code, earning_kind
),

payment_month as (
    select distinct
        employee_number,
        earned_quarter,
        currency_code,
        payment_period
    from payment
),

-- the day the register says it was paid, of several the first; a register before the payment's month is of another
-- payment of the quarter
registered_day as (
    select
        payment_month.employee_number,
        payment_month.earned_quarter,
        payment_month.currency_code,
        payment_month.payment_period,
        min(payroll_line.paid_on) as paid_on
    from payment_month
    inner join payroll_line
        on
            payment_month.employee_number = payroll_line.employee_number
            and payment_month.earned_quarter = payroll_line.earned_quarter
            and payment_month.currency_code = payroll_line.currency_code
            and payment_month.payment_period <= payroll_line.pay_period
    group by
        payment_month.employee_number, payment_month.earned_quarter, payment_month.currency_code,
        payment_month.payment_period
),

dated as (
    select
        {{ md5_of([
            'payment.employee_number', 'payment.earned_quarter', 'payment.payment_period', 'payment.country_code',
            'payment.currency_code', 'payment.earning_kind'
        ]) }} as withholding_key,
        payment.*,
        registered_day.paid_on is null as is_pay_day_planned,
        coalesce(
            registered_day.paid_on,
            {{ add_days(add_months(month_code_start('payment.payment_period'), 1), -1) }}
        ) as paid_on
    from payment
    left join registered_day
        on
            payment.employee_number = registered_day.employee_number
            and payment.earned_quarter = registered_day.earned_quarter
            and payment.currency_code = registered_day.currency_code
            and payment.payment_period = registered_day.payment_period
),

classed as (
    select
        dated.*,
        payment_class.payment_class,
        employment_term.jurisdiction_code
    from dated
    left join payment_class
        on
            dated.country_code = payment_class.country_code
            and dated.earning_kind = payment_class.earning_kind
            and dated.paid_on >= payment_class.effective_from
            and dated.paid_on <= coalesce(payment_class.effective_to, date '9999-12-31')
    left join employment_term
        on
            dated.employee_number = employment_term.employee_number
            and dated.paid_on >= employment_term.valid_from_on
            and dated.paid_on < employment_term.valid_to_on
),

-- every tax the country has ever had by the day of payment: one that ran out is missing, not abolished
country_tax as (
    select
        classed.withholding_key,
        withholding_rule.tax_code,
        min(case when withholding_rule.jurisdiction_code is null then 0 else 1 end) = 1 as is_by_jurisdiction,
        max(
            case
                when
                    withholding_rule.jurisdiction_code is null
                    or withholding_rule.jurisdiction_code = classed.jurisdiction_code
                    then 1
                else 0
            end
        ) = 1 as has_had_rule
    from classed
    inner join withholding_rule
        on
            classed.country_code = withholding_rule.country_code
            and classed.paid_on >= withholding_rule.effective_from
            and (
                withholding_rule.payment_class is null
                or withholding_rule.payment_class = classed.payment_class
            )
    group by classed.withholding_key, withholding_rule.tax_code
),

taxed as (
    select
        classed.*,
        country_tax.tax_code,
        country_tax.is_by_jurisdiction,
        country_tax.has_had_rule
    from classed
    left join country_tax on classed.withholding_key = country_tax.withholding_key
),

-- of several rules in force, one of the jurisdiction before one of the country, one of the class before one of all
ruled as (
    select
        taxed.*,
        withholding_rule.rule_code,
        withholding_rule.method,
        withholding_rule.currency_code as rule_currency_code,
        withholding_rule.tax_year_first_month,
        withholding_rule.rounding_policy,
        withholding_rule.rounding_unit_amount,
        withholding_rule.figure_status
    from taxed
    left join withholding_rule
        on
            taxed.country_code = withholding_rule.country_code
            and taxed.tax_code = withholding_rule.tax_code
            and taxed.paid_on >= withholding_rule.effective_from
            and taxed.paid_on <= coalesce(withholding_rule.effective_to, date '9999-12-31')
            and (
                withholding_rule.payment_class is null
                or withholding_rule.payment_class = taxed.payment_class
            )
            and (
                withholding_rule.jurisdiction_code is null
                or withholding_rule.jurisdiction_code = taxed.jurisdiction_code
            )
    qualify row_number() over (
            partition by taxed.withholding_key, taxed.tax_code
            order by
                case when withholding_rule.jurisdiction_code is null then 1 else 0 end asc,
                case when withholding_rule.payment_class is null then 1 else 0 end asc,
                withholding_rule.effective_from desc,
                withholding_rule.rule_code asc
        ) = 1
),

in_tax_year as (
    select
        *,
        cast({{ add_months(
            month_start('paid_on'), '-mod(month(paid_on) - coalesce(tax_year_first_month, 1) + 12, 12)'
        ) }} as date) as tax_year_start_on
    from ruled
),

-- base pay of the tax year up to the month of payment, and what that month's pay makes of the rest of the year
with_regular_pay as (
    select
        in_tax_year.withholding_key,
        in_tax_year.tax_code,
        sum(regular_pay.regular_pay_amount) as to_date_amount,
        sum(
            case
                when regular_pay.month_start_on = {{ month_start('in_tax_year.paid_on') }}
                    then regular_pay.regular_pay_amount
            end
        ) as month_amount,
        max(case when regular_pay.is_projected then 1 else 0 end) = 1 as is_projected,
        max(case when regular_pay.regular_pay_amount is null then 1 else 0 end) = 1 as is_unknown
    from in_tax_year
    inner join regular_pay
        on
            in_tax_year.employee_number = regular_pay.employee_number
            and in_tax_year.currency_code = regular_pay.currency_code
            and in_tax_year.tax_year_start_on <= regular_pay.month_start_on
            and in_tax_year.paid_on >= regular_pay.month_start_on
    group by in_tax_year.withholding_key, in_tax_year.tax_code
),

person_paid as (
    select distinct
        employee_number,
        currency_code
    from regular_pay
),

bounded as (
    select
        *,
        lead(lower_bound_amount) over (partition by rule_code order by lower_bound_amount) as next_bound_amount
    from withholding_bracket
),

bracket as (
    select
        rule_code,
        {{ integer_units('lower_bound_amount', 2) }} as lower_cents,
        {{ integer_units('next_bound_amount', 2) }} as upper_cents,
        {{ integer_units('rate_share', 6) }} as rate_millionths
    from bounded
),

rule_scale as (
    select
        rule_code,
        min(lower_cents) as lowest_cents
    from bracket
    group by rule_code
),

judged as (
    select
        in_tax_year.*,
        coalesce(with_regular_pay.is_projected, false)
        and in_tax_year.method in ('bracket', 'aggregate') as is_provisional,
        case
            when in_tax_year.method = 'bracket' then coalesce(with_regular_pay.to_date_amount, 0)
            when in_tax_year.method = 'aggregate'
                then
                    coalesce(with_regular_pay.to_date_amount, 0)
                    + coalesce(with_regular_pay.month_amount, 0)
                    * (11 - mod(month(in_tax_year.paid_on) - in_tax_year.tax_year_first_month + 12, 12))
            else 0
        end as regular_pay_amount,
        case
            when in_tax_year.payment_class is null then 'class_missing'
            when in_tax_year.tax_code is null then 'rule_missing'
            when
                in_tax_year.rule_code is null
                and in_tax_year.is_by_jurisdiction
                and in_tax_year.jurisdiction_code is null
                then 'jurisdiction_unknown'
            when in_tax_year.rule_code is null and in_tax_year.has_had_rule then 'rule_expired'
            when in_tax_year.rule_code is null then 'rule_missing'
            when in_tax_year.rule_currency_code <> in_tax_year.currency_code then 'currency_differs'
            when in_tax_year.method <> 'none' and coalesce(rule_scale.lowest_cents, 1) <> 0 then 'brackets_missing'
            when
                in_tax_year.method in ('bracket', 'aggregate')
                and (person_paid.employee_number is null or coalesce(with_regular_pay.is_unknown, false))
                then 'regular_pay_unknown'
        end as gap_reason
    from in_tax_year
    left join with_regular_pay
        on
            in_tax_year.withholding_key = with_regular_pay.withholding_key
            and in_tax_year.tax_code = with_regular_pay.tax_code
    left join person_paid
        on
            in_tax_year.employee_number = person_paid.employee_number
            and in_tax_year.currency_code = person_paid.currency_code
    left join rule_scale on in_tax_year.rule_code = rule_scale.rule_code
),

-- payments of the tax year before the day, and of the day before this one; the day's order is the quarter's. Plan pay
-- comes after the rest, so that what its demands hold moves no other's tax; what is taken back comes last, so that it
-- is given back of what the day has borne
windowed as (
    select
        *,
        sum(gross_amount) over (
            partition by employee_number, country_code, currency_code, tax_code, tax_year_start_on order by paid_on
        ) as through_day_amount,
        sum(gross_amount) over (
            partition by employee_number, country_code, currency_code, tax_code, tax_year_start_on, paid_on
        ) as whole_day_amount,
        sum(gross_amount) over (
            partition by employee_number, country_code, currency_code, tax_code, tax_year_start_on, paid_on
            order by
                case when gross_amount < 0 then 1 else 0 end,
                case when earning_kind in ('incentive', 'draw') then 1 else 0 end, payment_period, earned_quarter,
                withholding_key
            rows between unbounded preceding and current row
        ) as day_amount
    from judged
),

running as (
    select
        *,
        through_day_amount - whole_day_amount as before_day_amount
    from windowed
),

pointed as (
    select
        *,
        {{ integer_units('regular_pay_amount + before_day_amount', 2) }} as day_point,
        {{ integer_units('regular_pay_amount + before_day_amount + day_amount - gross_amount', 2) }} as before_point,
        {{ integer_units('regular_pay_amount + before_day_amount + day_amount', 2) }} as after_point,
        {{ integer_units('rounding_unit_amount', 2) }} as unit_cents
    from running
),

scaled as (
    select
        pointed.withholding_key,
        pointed.tax_code,
        sum({{ bracket_tax('pointed.before_point', 'bracket') }})
        - sum({{ bracket_tax('pointed.day_point', 'bracket') }}) as before_millionths,
        sum({{ bracket_tax('pointed.after_point', 'bracket') }})
        - sum({{ bracket_tax('pointed.day_point', 'bracket') }}) as after_millionths,
        max_by(
            case when bracket.lower_cents <= greatest(pointed.after_point, 0) then bracket.rate_millionths end,
            case when bracket.lower_cents <= greatest(pointed.after_point, 0) then bracket.lower_cents end
        ) as rate_millionths
    from pointed
    inner join bracket on pointed.rule_code = bracket.rule_code
    where pointed.gap_reason is null and pointed.method <> 'none'
    group by pointed.withholding_key, pointed.tax_code
),

-- rounding telescopes within the day: the day's tax is rounded once, whatever the order of its payments
rounded as (
    select
        pointed.*,
        scaled.rate_millionths,
        case
            when pointed.gap_reason is not null then null
            when pointed.method = 'none' then 0
            else
                {{ rounded_tax('scaled.after_millionths', 'pointed.rounding_policy', 'pointed.unit_cents') }}
                - {{ rounded_tax('scaled.before_millionths', 'pointed.rounding_policy', 'pointed.unit_cents') }}
        end as withheld_cents
    from pointed
    left join scaled
        on
            pointed.withholding_key = scaled.withholding_key
            and pointed.tax_code = scaled.tax_code
),

final as (
    select
        cast({{ md5_of(['withholding_key', 'tax_code']) }} as varchar) as withholding_tax_key,
        cast(withholding_key as varchar) as withholding_key,
        cast(employee_number as varchar) as employee_number,
        cast(earned_quarter as varchar) as earned_quarter,
        cast(payment_period as varchar) as payment_period,
        cast(paid_on as date) as paid_on,
        cast(is_pay_day_planned as boolean) as is_pay_day_planned,
        cast(country_code as varchar) as country_code,
        cast(jurisdiction_code as varchar) as jurisdiction_code,
        cast(currency_code as varchar) as currency_code,
        cast(earning_kind as varchar) as earning_kind,
        cast(payment_class as varchar) as payment_class,
        cast(tax_code as varchar) as tax_code,
        cast(rule_code as varchar) as rule_code,
        cast(method as varchar) as method,
        cast(case when rule_code is not null then tax_year_start_on end as date) as tax_year_start_on,
        cast(gross_amount as decimal(18, 2)) as gross_amount,
        cast(regular_pay_amount as decimal(18, 2)) as regular_pay_amount,
        cast(before_day_amount + day_amount - gross_amount as decimal(18, 2)) as paid_before_amount,
        cast({{ from_integer_units('rate_millionths', 6) }} as decimal(18, 6)) as marginal_rate_share,
        cast({{ from_integer_units('withheld_cents', 2) }} as decimal(18, 2)) as withheld_amount,
        cast(rounding_policy as varchar) as rounding_policy,
        cast(rounding_unit_amount as decimal(18, 2)) as rounding_unit_amount,
        cast(is_provisional as boolean) as is_provisional,
        cast(figure_status as varchar) as figure_status,
        cast(gap_reason as varchar) as gap_reason
    from rounded
)

select * from final
