-- Calculated withholding against the tax lines of the payroll register: person x earned quarter x month of payment x
-- currency. Only tax lines that name the quarter they are for can be compared; a register that has none for a person's
-- cost centre says nothing.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

landed_pay_month as (
    select * from {{ ref('int_landed_pay_month') }}
    where source_name = 'payroll'
),

withholding as (
    select * from {{ ref('fct_withholding') }}
),

payroll_earning_code as (
    select * from {{ ref('payroll_earning_code') }}
    where earning_role = 'withholding'
),

register_line as (
    select * from {{ ref('stg_payroll__register_lines') }}
),

calculated as (
    select
        employee_number,
        earned_quarter,
        currency_code,
        payment_period,
        min(paid_on) as paid_on,
        max(case when withholding_status = 'gap' then 1 else 0 end) = 1 as is_gap,
        sum(coalesce(withheld_amount, 0)) as withheld_amount
    from withholding
    group by employee_number, earned_quarter, currency_code, payment_period
),

tax_line as (
    select register_line.*
    from register_line
    inner join payroll_earning_code on register_line.earning_code = payroll_earning_code.earning_code
    where register_line.earned_quarter is not null
),

-- a tax line is of the last payment of its quarter that was due by its month; without one it stands for itself
placed_tax_line as (
    select
        tax_line.payroll_line_id,
        tax_line.employee_number,
        tax_line.earned_quarter,
        tax_line.currency_code,
        tax_line.paid_on,
        tax_line.amount,
        coalesce(max(calculated.payment_period), tax_line.pay_period) as payment_period
    from tax_line
    left join calculated
        on
            tax_line.employee_number = calculated.employee_number
            and tax_line.earned_quarter = calculated.earned_quarter
            and tax_line.currency_code = calculated.currency_code
            and tax_line.pay_period >= calculated.payment_period
    group by
        tax_line.payroll_line_id, tax_line.employee_number, tax_line.earned_quarter, tax_line.currency_code,
        tax_line.paid_on, tax_line.amount, tax_line.pay_period
),

-- a deduction stands in the register with a minus
registered as (
    select
        employee_number,
        earned_quarter,
        currency_code,
        payment_period,
        min(paid_on) as paid_on,
        -sum(amount) as payroll_amount,
        {{ string_list('payroll_line_id', 'payroll_line_id') }} as payroll_line_ids
    from placed_tax_line
    group by employee_number, earned_quarter, currency_code, payment_period
),

itemised_cost_centre as (
    select distinct
        pay_period,
        cost_centre_code
    from tax_line
),

-- whose tax the month's register would show: people of a cost centre it itemises tax of
itemised_person as (
    select distinct
        register_line.employee_number,
        register_line.pay_period
    from register_line
    inner join itemised_cost_centre
        on
            register_line.pay_period = itemised_cost_centre.pay_period
            and register_line.cost_centre_code = itemised_cost_centre.cost_centre_code
),

paired as (
    select
        coalesce(calculated.employee_number, registered.employee_number) as employee_number,
        coalesce(calculated.earned_quarter, registered.earned_quarter) as earned_quarter,
        coalesce(calculated.currency_code, registered.currency_code) as currency_code,
        coalesce(calculated.payment_period, registered.payment_period) as payment_period,
        coalesce(calculated.paid_on, registered.paid_on) as paid_on,
        coalesce(calculated.withheld_amount, 0) as withheld_amount,
        coalesce(registered.payroll_amount, 0) as payroll_amount,
        registered.payroll_line_ids,
        calculated.employee_number is not null as is_calculated,
        coalesce(calculated.is_gap, false) as is_gap,
        registered.payroll_line_ids is not null as is_registered
    from calculated
    full outer join registered
        on
            calculated.employee_number = registered.employee_number
            and calculated.earned_quarter = registered.earned_quarter
            and calculated.currency_code = registered.currency_code
            and calculated.payment_period = registered.payment_period
),

judged as (
    select
        paired.*,
        case
            when paired.is_registered and not paired.is_calculated then 'missing_left'
            when paired.is_registered and paired.payroll_amount = paired.withheld_amount and not paired.is_gap
                then 'matched'
            when paired.is_registered then 'amount_differs'
            when landed_pay_month.month_code is null then 'timing'
            when itemised_person.pay_period is null then 'source_absent'
            when paired.withheld_amount = 0 and not paired.is_gap then 'matched'
            else 'missing_right'
        end as status,
        greatest({{ day_count('paired.paid_on', 'run_context.as_of_at') }}, 0) as open_days
    from paired
    cross join run_context
    left join landed_pay_month on paired.payment_period = landed_pay_month.month_code
    left join itemised_person
        on
            paired.employee_number = itemised_person.employee_number
            and paired.payment_period = itemised_person.pay_period
),

final as (
    select
        cast({{ md5_of(['employee_number', 'earned_quarter', 'payment_period', 'currency_code']) }} as varchar)
            as rec_key,
        cast(employee_number as varchar) as employee_number,
        cast(earned_quarter as varchar) as earned_quarter,
        cast(currency_code as varchar) as currency_code,
        cast(payment_period as varchar) as payment_period,
        cast(withheld_amount as decimal(18, 2)) as withheld_amount,
        cast(payroll_amount as decimal(18, 2)) as payroll_amount,
        cast(payroll_amount - withheld_amount as decimal(18, 2)) as difference_amount,
        cast(status as varchar) as status,
        cast(case when status in ('matched', 'source_absent') then 0 else open_days end as integer) as age_days,
        cast(payroll_line_ids as varchar) as payroll_line_ids,
        cast(
            case status
                when 'matched' then 'Both sides agree.'
                when 'source_absent'
                    then 'The register of ' || payment_period || ' itemises no tax of the cost centre by quarter.'
                when 'timing' then 'The register of ' || payment_period || ' has not been landed.'
                when 'missing_left'
                    then 'Payroll withheld and nothing was calculated (line ' || payroll_line_ids || ').'
                when 'missing_right' then 'Calculated, and the register has no line of it.'
                else
                    case when is_gap then 'Nothing could be calculated, payroll ' else 'Payroll ' end
                    || cast(cast(payroll_amount as decimal(18, 2)) as varchar) || ', calculated '
                    || cast(cast(withheld_amount as decimal(18, 2)) as varchar) || ' ' || currency_code || ' (line '
                    || payroll_line_ids || ').'
            end as varchar
        ) as explanation
    from judged
)

select * from final
