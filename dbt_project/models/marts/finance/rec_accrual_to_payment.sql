-- What was accrued for a quarter and cost centre against what left the company for it: earned quarter x cost centre x
-- currency, full outer. A person's pay is laid on the cost centres it was earned in, to the cent.
-- difference_amount = paid_amount - accrued_amount on every row.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

pay_source as (
    select * from {{ ref('int_pay_source') }}
),

landed_pay_month as (
    select * from {{ ref('int_landed_pay_month') }}
    where source_name = 'payroll'
),

incentive_period as (
    select * from {{ ref('int_incentive_period') }}
),

payroll_earning_code as (
    select * from {{ ref('payroll_earning_code') }}
    where earning_role = 'incentive'
),

register_line as (
    select * from {{ ref('stg_payroll__register_lines') }}
),

payment as (
    select * from {{ ref('stg_payroll__payments') }}
),

fct_accrual as (
    select * from {{ ref('fct_accrual') }}
    where accrual_kind in ('recognition', 'true_up')
),

fct_incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

run_state as (
    {{ pay_run_state('run_context', 'pay_source', 'payroll') }}
),

quarter_payment as (
    select
        earned_quarter,
        min(payment_period) as payment_period
    from incentive_period
    group by earned_quarter
),

accrued as (
    select
        earned_quarter,
        cost_centre_code,
        currency_code,
        sum(accrual_amount) as accrued_amount
    from fct_accrual
    group by earned_quarter, cost_centre_code, currency_code
),

-- where a person earned a quarter's pay
earned as (
    select
        employee_number,
        earned_quarter,
        cost_centre_code,
        currency_code,
        sum(payout_amount) as payout_amount
    from fct_incentive_payout
    group by employee_number, earned_quarter, cost_centre_code, currency_code
),

earned_person as (
    select
        employee_number,
        earned_quarter,
        currency_code,
        sum(payout_amount) as payout_amount
    from earned
    group by employee_number, earned_quarter, currency_code
),

-- what the bank let through of a person's pay of a month, base and incentive together
settled as (
    select
        pay_period,
        employee_number,
        currency_code,
        sum(case when payment_status = 'settled' then payment_amount else 0 end) as settled_amount
    from payment
    group by pay_period, employee_number, currency_code
),

-- a month without any transfer handed over is told by the register alone
payment_month as (
    select distinct pay_period
    from payment
),

registered as (
    select
        pay_period,
        employee_number,
        currency_code,
        sum(amount) as registered_amount
    from register_line
    group by pay_period, employee_number, currency_code
),

incentive_line as (
    select
        coalesce(register_line.employee_number, '') as employee_number,
        coalesce(register_line.earned_quarter, '') as earned_quarter,
        coalesce(register_line.currency_code, '') as currency_code,
        coalesce(register_line.cost_centre_code, '') as cost_centre_code,
        register_line.payroll_line_id,
        register_line.pay_period,
        register_line.paid_on,
        coalesce(register_line.amount, 0) as amount,
        payment_month.pay_period is null
        or coalesce(settled.settled_amount, 0) >= coalesce(registered.registered_amount, 0) as is_settled
    from register_line
    inner join payroll_earning_code on register_line.earning_code = payroll_earning_code.earning_code
    left join payment_month on register_line.pay_period = payment_month.pay_period
    left join registered
        on
            register_line.pay_period = registered.pay_period
            and register_line.employee_number = registered.employee_number
            and register_line.currency_code = registered.currency_code
    left join settled
        on
            register_line.pay_period = settled.pay_period
            and register_line.employee_number = settled.employee_number
            and register_line.currency_code = settled.currency_code
),

person as (
    select
        incentive_line.employee_number,
        incentive_line.earned_quarter,
        incentive_line.currency_code,
        count(*) as line_count,
        max(incentive_line.cost_centre_code) as register_cost_centre_code,
        sum(incentive_line.amount) as registered_amount,
        sum(case when incentive_line.is_settled then incentive_line.amount else 0 end) as paid_amount,
        min(incentive_line.paid_on) as first_paid_on,
        count(*) filter (
            where incentive_line.pay_period is distinct from quarter_payment.payment_period
        ) as off_period_line_count
    from incentive_line
    left join quarter_payment on incentive_line.earned_quarter = quarter_payment.earned_quarter
    group by incentive_line.employee_number, incentive_line.earned_quarter, incentive_line.currency_code
),

-- in the proportions earned; a person with nothing calculated, or nothing above zero, stands in the register's cost
-- centre
person_share as (
    select
        person.employee_number,
        person.earned_quarter,
        person.currency_code,
        person.paid_amount,
        person.registered_amount,
        coalesce(earned.cost_centre_code, person.register_cost_centre_code) as cost_centre_code,
        case when earned.employee_number is null then 1 else {{ integer_units('earned.payout_amount', 2) }} end
            as share_units
    from person
    left join earned_person
        on
            person.employee_number = earned_person.employee_number
            and person.earned_quarter = earned_person.earned_quarter
            and person.currency_code = earned_person.currency_code
            and earned_person.payout_amount > 0
    left join earned
        on
            earned_person.employee_number = earned.employee_number
            and earned_person.earned_quarter = earned.earned_quarter
            and earned_person.currency_code = earned.currency_code
            and earned.payout_amount > 0
),

person_whole as (
    select
        *,
        sum(share_units) over (partition by employee_number, earned_quarter, currency_code) as denominator
    from person_share
),

person_paid as (
    select
        employee_number,
        earned_quarter,
        currency_code,
        cost_centre_code,
        {{ from_integer_units(
            '(' ~ allocate_largest_remainder(
                'abs(' ~ integer_units('paid_amount', 2) ~ ') * share_units',
                'denominator',
                'employee_number, earned_quarter, currency_code',
                'cost_centre_code'
            ) ~ ') * case when paid_amount < 0 then -1 else 1 end',
            2
        ) }} as paid_amount,
        {{ from_integer_units(
            '(' ~ allocate_largest_remainder(
                'abs(' ~ integer_units('registered_amount', 2) ~ ') * share_units',
                'denominator',
                'employee_number, earned_quarter, currency_code',
                'cost_centre_code'
            ) ~ ') * case when registered_amount < 0 then -1 else 1 end',
            2
        ) }} as registered_amount
    from person_whole
),

-- both sides of each person in each cost centre, and why they differ
person_joined as (
    select
        coalesce(earned.employee_number, person_paid.employee_number) as employee_number,
        coalesce(earned.earned_quarter, person_paid.earned_quarter) as earned_quarter,
        coalesce(earned.currency_code, person_paid.currency_code) as currency_code,
        coalesce(earned.cost_centre_code, person_paid.cost_centre_code) as cost_centre_code,
        coalesce(earned.payout_amount, 0) as payout_amount,
        coalesce(person_paid.paid_amount, 0) as paid_amount,
        coalesce(person_paid.registered_amount, 0) as registered_amount
    from earned
    full outer join person_paid
        on
            earned.employee_number = person_paid.employee_number
            and earned.earned_quarter = person_paid.earned_quarter
            and earned.currency_code = person_paid.currency_code
            and earned.cost_centre_code = person_paid.cost_centre_code
),

person_judged as (
    select
        person_joined.*,
        person.first_paid_on,
        coalesce(person.off_period_line_count, 0) as off_period_line_count,
        case
            when person_joined.paid_amount = person_joined.payout_amount then 'none'
            when person_joined.registered_amount = person_joined.payout_amount then 'unsettled'
            when
                person_joined.payout_amount <> 0 and person_joined.registered_amount = 0
                and sum(case when person_joined.payout_amount = 0 then abs(person_joined.registered_amount) else 0 end)
                    over (partition by person_joined.employee_number, person_joined.earned_quarter)
                <> 0
                then 'wrong_currency'
            when
                person_joined.payout_amount = 0 and person_joined.registered_amount <> 0
                and sum(case when person_joined.registered_amount = 0 then abs(person_joined.payout_amount) else 0 end)
                    over (partition by person_joined.employee_number, person_joined.earned_quarter)
                <> 0
                then 'wrong_currency'
            when coalesce(person.line_count, 0) > 1 then 'duplicate'
            else 'other'
        end as cause
    from person_joined
    left join person
        on
            person_joined.employee_number = person.employee_number
            and person_joined.earned_quarter = person.earned_quarter
            and person_joined.currency_code = person.currency_code
),

paid as (
    select
        earned_quarter,
        cost_centre_code,
        currency_code,
        sum(paid_amount) as paid_amount,
        sum(registered_amount - paid_amount) as unsettled_amount,
        count(*) filter (where registered_amount <> 0) as paid_person_count,
        count(*) filter (where cause <> 'none') as differing_person_count,
        count(*) filter (where cause = 'unsettled') as unsettled_person_count,
        count(*) filter (where cause = 'wrong_currency') as other_currency_person_count,
        count(*) filter (where cause = 'duplicate') as duplicate_person_count,
        sum(off_period_line_count) as off_period_line_count,
        min(first_paid_on) as first_paid_on,
        {{ string_list(
            "case when cause <> 'none' then employee_number || ' ' || cast(paid_amount - payout_amount as varchar) end",
            'employee_number'
        ) }} as differing_people
    from person_judged
    group by earned_quarter, cost_centre_code, currency_code
),

joined as (
    select
        paid.first_paid_on,
        paid.differing_people,
        coalesce(accrued.earned_quarter, paid.earned_quarter) as earned_quarter,
        coalesce(accrued.cost_centre_code, paid.cost_centre_code) as cost_centre_code,
        coalesce(accrued.currency_code, paid.currency_code) as currency_code,
        coalesce(accrued.accrued_amount, 0) as accrued_amount,
        coalesce(paid.paid_amount, 0) as paid_amount,
        coalesce(paid.unsettled_amount, 0) as unsettled_amount,
        coalesce(paid.paid_person_count, 0) as paid_person_count,
        coalesce(paid.differing_person_count, 0) as differing_person_count,
        coalesce(paid.unsettled_person_count, 0) as unsettled_person_count,
        coalesce(paid.other_currency_person_count, 0) as other_currency_person_count,
        coalesce(paid.duplicate_person_count, 0) as duplicate_person_count,
        coalesce(paid.off_period_line_count, 0) as off_period_line_count,
        coalesce(paid.paid_person_count, 0) > 0 as has_payment
    from accrued
    full outer join paid
        on
            accrued.earned_quarter = paid.earned_quarter
            and accrued.cost_centre_code = paid.cost_centre_code
            and accrued.currency_code = paid.currency_code
),

judged as (
    select
        joined.*,
        joined.paid_amount - joined.accrued_amount as difference_amount,
        quarter_payment.payment_period,
        run_state.as_of_at,
        run_state.is_payroll_absent,
        run_state.payroll_status_reason,
        run_state.is_hris_absent,
        run_state.hris_status_reason,
        landed_pay_month.month_code is not null as is_month_landed,
        coalesce(
            run_state.as_of_at
            >= cast({{ add_months(month_code_start('quarter_payment.payment_period'), 1) }} as timestamp),
            false
        ) as is_month_over,
        {{ add_months(month_code_start('quarter_payment.payment_period'), 1) }} as overdue_from_on
    from joined
    cross join run_state
    left join quarter_payment on joined.earned_quarter = quarter_payment.earned_quarter
    left join landed_pay_month on quarter_payment.payment_period = landed_pay_month.month_code
    where joined.accrued_amount <> 0 or joined.paid_person_count > 0
),

classified as (
    select
        *,
        case
            when difference_amount = 0 and off_period_line_count > 0 then 'wrong_period'
            when difference_amount = 0 and differing_person_count = 0 then 'matched'
            when not has_payment and is_payroll_absent then 'source_absent'
            when
                differing_person_count > 0 and differing_person_count = other_currency_person_count
                then 'wrong_currency'
            when
                accrued_amount <> 0 and not (is_month_landed and is_month_over)
                then 'timing'
            when unsettled_amount <> 0 and differing_person_count = unsettled_person_count then 'timing'
            when not has_payment then 'missing_right'
            when accrued_amount = 0 and is_hris_absent then 'source_absent'
            when accrued_amount = 0 then 'missing_left'
            when differing_person_count > 0 and differing_person_count = duplicate_person_count then 'duplicate'
            else 'amount_differs'
        end as status
    from judged
),

explained as (
    select
        *,
        'accrued ' || cast(cast(accrued_amount as decimal(18, 2)) as varchar) || ' ' || currency_code as accrued_text,
        'paid ' || cast(cast(paid_amount as decimal(18, 2)) as varchar) || ' ' || currency_code
        || ' (people paid: ' || cast(paid_person_count as varchar) || ')'
        || case
            when unsettled_amount <> 0
                then
                    ', ' || cast(cast(unsettled_amount as decimal(18, 2)) as varchar)
                    || ' registered and not settled by the bank'
            else ''
        end as paid_text,
        case when differing_people is null then '' else '; differences by person: ' || differing_people end
            as people_text,
        case
            when status = 'matched' then cast(null as date)
            when not has_payment then overdue_from_on
            else coalesce(first_paid_on, overdue_from_on)
        end as since_on
    from classified
),

final as (
    select
        cast({{ md5_of(['earned_quarter', 'cost_centre_code', 'currency_code']) }} as varchar) as rec_key,
        cast(nullif(earned_quarter, '') as varchar) as earned_quarter,
        cast(nullif(cost_centre_code, '') as varchar) as cost_centre_code,
        cast(nullif(currency_code, '') as varchar) as currency_code,
        cast(payment_period as varchar) as payment_period,
        cast(accrued_amount as decimal(18, 2)) as accrued_amount,
        cast(paid_amount as decimal(18, 2)) as paid_amount,
        cast(difference_amount as decimal(18, 2)) as difference_amount,
        cast(unsettled_amount as decimal(18, 2)) as unsettled_amount,
        cast(status as varchar) as status,
        cast(
            case
                when since_on is null then 0
                else greatest(0, {{ day_count('since_on', 'as_of_at') }})
            end as integer
        ) as age_days,
        cast(
            case status
                when 'matched' then 'Agrees: ' || accrued_text || ', ' || paid_text || '.'
                when 'amount_differs'
                    then
                        'Paid ' || cast(cast(abs(difference_amount) as decimal(18, 2)) as varchar)
                        || ' ' || currency_code
                        || case when difference_amount > 0 then ' more' else ' less' end || ' than accrued: '
                        || accrued_text || ', ' || paid_text || people_text || '.'
                when 'missing_right'
                    then
                        'Not paid: ' || accrued_text || '; the register of ' || payment_period
                        || ' is landed and holds no incentive of this cost centre.'
                when 'missing_left'
                    then 'Paid without an accrual: ' || paid_text || people_text || '.'
                when 'timing'
                    then
                        'Not due yet or not told yet: ' || accrued_text || ', ' || paid_text
                        || case
                            when is_month_landed and is_month_over then ''
                            when is_month_over
                                then '; the register of ' || payment_period || ' has not been landed'
                            else '; pay period ' || payment_period || ' is not over'
                        end || '.'
                when 'duplicate'
                    then 'Paid more than once: ' || accrued_text || ', ' || paid_text || people_text || '.'
                when 'wrong_period'
                    then
                        'Paid, ' || cast(off_period_line_count as varchar) || ' lines of it in another pay period than '
                        || coalesce(payment_period, 'any that is due') || ': '
                        || accrued_text || ', ' || paid_text || '.'
                when 'wrong_currency'
                    then
                        'Paid in another currency than accrued: ' || accrued_text || ', ' || paid_text
                        || people_text || '; the other side stands in a row of its own currency.'
                when 'source_absent' then
                    'Nothing to compare with: '
                    || case
                        when has_payment then paid_text || '; HRIS is absent: ' || hris_status_reason
                        else accrued_text || '; payroll is absent: ' || payroll_status_reason
                    end || '.'
            end as varchar
        ) as explanation,
        cast(paid_person_count as bigint) as paid_person_count,
        cast(differing_person_count as bigint) as differing_person_count
    from explained
)

select * from final
