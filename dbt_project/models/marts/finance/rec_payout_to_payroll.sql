-- Calculated payouts against the payroll register's incentive lines: person x earned quarter x currency,
-- full outer, so that both sides' totals are all here. difference_amount = payroll_amount - payout_amount
-- on every row.
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

fct_incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

run_state as (
    {{ pay_run_state('run_context', 'pay_source', 'payroll') }}
),

-- payment month of a quarter, known for lines that nothing was calculated for as well
quarter_payment as (
    select
        earned_quarter,
        min(payment_period) as payment_period
    from incentive_period
    group by earned_quarter
),

payout as (
    select
        employee_number,
        earned_quarter,
        currency_code,
        min(payment_period) as payment_period,
        sum(payout_amount) as payout_amount
    from fct_incentive_payout
    group by employee_number, earned_quarter, currency_code
),

payroll_line as (
    select
        register_line.payroll_line_id,
        register_line.pay_period,
        register_line.paid_on,
        coalesce(register_line.employee_number, '') as employee_number,
        coalesce(register_line.earned_quarter, '') as earned_quarter,
        coalesce(register_line.currency_code, '') as currency_code,
        coalesce(register_line.amount, 0) as amount
    from register_line
    inner join payroll_earning_code on register_line.earning_code = payroll_earning_code.earning_code
),

payroll as (
    select
        payroll_line.employee_number,
        payroll_line.earned_quarter,
        payroll_line.currency_code,
        count(*) as payroll_line_count,
        sum(payroll_line.amount) as payroll_amount,
        min(payroll_line.paid_on) as first_paid_on,
        count(*) filter (
            where payroll_line.pay_period is distinct from quarter_payment.payment_period
        ) as off_period_line_count,
        {{ string_list('payroll_line.pay_period', 'payroll_line.pay_period, payroll_line.payroll_line_id') }}
            as pay_periods,
        {{ string_list(
            'payroll_line.payroll_line_id', 'payroll_line.pay_period, payroll_line.payroll_line_id'
        ) }} as payroll_line_ids
    from payroll_line
    left join quarter_payment on payroll_line.earned_quarter = quarter_payment.earned_quarter
    group by payroll_line.employee_number, payroll_line.earned_quarter, payroll_line.currency_code
),

-- a payout of 0.00 is owed nothing: it stands here only when payroll has a line for it
joined as (
    select
        payroll.first_paid_on,
        payroll.pay_periods,
        payroll.payroll_line_ids,
        coalesce(payout.employee_number, payroll.employee_number) as employee_number,
        coalesce(payout.earned_quarter, payroll.earned_quarter) as earned_quarter,
        coalesce(payout.currency_code, payroll.currency_code) as currency_code,
        coalesce(payout.payout_amount, 0) as payout_amount,
        coalesce(payroll.payroll_amount, 0) as payroll_amount,
        coalesce(payroll.payroll_line_count, 0) as payroll_line_count,
        coalesce(payroll.off_period_line_count, 0) as off_period_line_count,
        payout.employee_number is not null as is_calculated,
        coalesce(payout.payout_amount, 0) <> 0 as has_payout,
        payroll.employee_number is not null as has_payroll
    from payout
    full outer join payroll
        on
            payout.employee_number = payroll.employee_number
            and payout.earned_quarter = payroll.earned_quarter
            and payout.currency_code = payroll.currency_code
    where payroll.employee_number is not null or payout.payout_amount <> 0
),

-- what the same person and quarter shows in its other currencies
judged as (
    select
        joined.*,
        quarter_payment.payment_period,
        run_state.as_of_at,
        run_state.is_payroll_absent,
        run_state.payroll_status_reason,
        run_state.is_hris_absent,
        run_state.hris_status_reason,
        sum(case when joined.has_payout and not joined.has_payroll then 1 else 0 end) over (
            partition by joined.employee_number, joined.earned_quarter
        ) as unpaid_currency_count,
        sum(
            case
                when joined.has_payroll and not joined.has_payout and joined.payroll_amount <> 0 then 1
                else 0
            end
        ) over (
            partition by joined.employee_number, joined.earned_quarter
        ) as uncalculated_currency_count,
        sum(case when joined.has_payroll and joined.has_payout then 1 else 0 end) over (
            partition by joined.employee_number, joined.earned_quarter
        ) as paired_currency_count,
        landed_pay_month.month_code is not null as is_month_landed,
        run_state.as_of_at >= cast(
            {{ add_months(month_code_start('quarter_payment.payment_period'), 1) }} as timestamp
        ) as is_month_over,
        {{ add_months(month_code_start('quarter_payment.payment_period'), 1) }} as overdue_from_on
    from joined
    cross join run_state
    left join quarter_payment on joined.earned_quarter = quarter_payment.earned_quarter
    left join landed_pay_month on quarter_payment.payment_period = landed_pay_month.month_code
),

classified as (
    select
        *,
        case
            when not has_payroll and uncalculated_currency_count > 0 then 'wrong_currency'
            when not has_payroll and is_month_landed and is_month_over then 'missing_right'
            when not has_payroll and is_payroll_absent then 'source_absent'
            when not has_payroll then 'timing'
            when not has_payout and payroll_amount = 0 then 'matched'
            when not has_payout and unpaid_currency_count > 0 then 'wrong_currency'
            when not has_payout and paired_currency_count > 0 then 'duplicate'
            when not has_payout and is_hris_absent then 'source_absent'
            when not has_payout then 'missing_left'
            when payroll_line_count > 1 then 'duplicate'
            when off_period_line_count > 0 then 'wrong_period'
            when payroll_amount <> payout_amount then 'amount_differs'
            else 'matched'
        end as status
    from judged
),

explained as (
    select
        *,
        'calculated ' || cast(cast(payout_amount as decimal(18, 2)) as varchar) || ' ' || currency_code
            as calculated_text,
        'payroll ' || cast(cast(payroll_amount as decimal(18, 2)) as varchar) || ' ' || currency_code
        || coalesce(' in pay period ' || pay_periods, '')
        || coalesce(' (line ' || payroll_line_ids || ')', '')
            as payroll_text,
        case
            when not has_payroll then overdue_from_on
            when status <> 'matched' then coalesce(first_paid_on, overdue_from_on)
        end as since_on
    from classified
),

final as (
    select
        cast({{ md5_of(['employee_number', 'earned_quarter', 'currency_code']) }} as varchar) as rec_key,
        cast(nullif(employee_number, '') as varchar) as employee_number,
        cast(nullif(earned_quarter, '') as varchar) as earned_quarter,
        cast(nullif(currency_code, '') as varchar) as currency_code,
        cast(payment_period as varchar) as payment_period,
        cast(payout_amount as decimal(18, 2)) as payout_amount,
        cast(payroll_amount as decimal(18, 2)) as payroll_amount,
        cast(payroll_amount - payout_amount as decimal(18, 2)) as difference_amount,
        cast(status as varchar) as status,
        cast(
            case
                when since_on is null then 0
                else greatest(0, {{ day_count('since_on', 'as_of_at') }})
            end as integer
        ) as age_days,
        cast(
            case status
                when 'matched' then 'Agrees: ' || calculated_text || ', ' || payroll_text || '.'
                when 'amount_differs'
                    then
                        cast(cast(abs(payroll_amount - payout_amount) as decimal(18, 2)) as varchar)
                        || ' ' || currency_code
                        || case when payroll_amount > payout_amount then ' too much' else ' too little' end
                        || ' paid: '
                        || calculated_text || ', ' || payroll_text || '.'
                when 'missing_right'
                    then
                        'Not paid: ' || calculated_text || '; the register of ' || payment_period
                        || ' is landed and holds no incentive line for this person and quarter.'
                when 'missing_left'
                    then
                        'Paid without a calculation: ' || payroll_text
                        || case
                            when is_calculated then '; the calculation of this quarter came to 0.00.'
                            when earned_quarter = '' then '; the line names no earned quarter.'
                            when payment_period is null
                                then '; no plan pays for this quarter, or it has not begun.'
                            else '; nothing was calculated for this person and quarter.'
                        end
                when 'timing'
                    then
                        'Not due yet or not told yet: ' || calculated_text
                        || case
                            when is_month_over
                                then '; the register of ' || payment_period || ' has not been landed.'
                            else '; pay period ' || payment_period || ' is not over.'
                        end
                when 'duplicate'
                    then
                        'More than one incentive line for one person and quarter: '
                        || calculated_text || ', ' || payroll_text || '.'
                when 'wrong_period'
                    then
                        'Paid in another pay period than ' || payment_period || ': '
                        || calculated_text || ', ' || payroll_text || '.'
                when 'wrong_currency'
                    then
                        'Paid in another currency than calculated: here ' || calculated_text
                        || ', ' || payroll_text
                        || '; the other side stands in a row of its own currency.'
                when 'source_absent' then
                    'Nothing to compare with: '
                    || case
                        when has_payroll then payroll_text || '; HRIS is absent: ' || hris_status_reason
                        else calculated_text || '; payroll is absent: ' || payroll_status_reason
                    end
            end as varchar
        ) as explanation,
        cast(payroll_line_count as bigint) as payroll_line_count,
        cast(pay_periods as varchar) as pay_periods,
        cast(payroll_line_ids as varchar) as payroll_line_ids
    from explained
)

select * from final
