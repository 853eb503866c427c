-- The ledger's lines of each person and payment period summed, and what is paid with that period: what was handed over
-- and what is due is what the payment lines say, wherever the ledger has them. Only of months before the first the
-- ledger pays, which were paid outside, is the calendar asked.
with payout_ledger as (
    select * from {{ ref('fct_payout_ledger') }}
),

payment_line as (
    select * from {{ ref('fct_payment_line') }}
),

payment_moment as (
    select * from {{ ref('int_payment_moment') }}
),

incentive_period as (
    select * from {{ ref('int_incentive_period') }}
),

closed_quarter as (
    select * from {{ ref('int_closed_quarter') }}
),

payroll_go_live as (
    select * from {{ ref('int_payroll_go_live') }}
),

kind_go_live as (
    {{ first_month_by_kind('payment_line', 'payroll_go_live') }}
),

go_live as (
    select max(first_payment_period) as first_payment_period
    from payroll_go_live
    where is_standing and earning_kind is null
),

-- the payment of a closed quarter has been handed over, though its month may not have ended
closed_payment as (
    select distinct incentive_period.payment_period
    from incentive_period
    inner join closed_quarter on incentive_period.earned_quarter = closed_quarter.earned_quarter
),

summed as (
    select
        employee_number,
        payment_period,
        currency_code,
        count(*) as line_count,
        sum(case when item_kind = 'earning' then amount else 0 end) as earned_amount,
        sum(case when item_kind = 'cap' then amount else 0 end) as cap_amount,
        sum(case when item_kind = 'clawback' then amount else 0 end) as clawback_amount,
        sum(case when reason = 'carried_in' then amount else 0 end) as carried_in_amount,
        sum(case when reason = 'carried_out' then amount else 0 end) as carried_out_amount,
        sum(case when reason <> 'carried_out' then amount else 0 end) as balance_amount
    from payout_ledger
    group by employee_number, payment_period, currency_code
),

-- what is paid with the month
paid_line as (
    select
        payment_line.employee_number,
        payment_line.payment_period,
        payment_line.currency_code,
        count(*) as paid_line_count,
        count(case when payment_line.line_state = 'exported' then 1 end) as exported_line_count,
        sum(case when payment_line.line_state = 'exported' then payment_line.amount else 0 end) as exported_amount,
        sum(case when payment_line.line_state = 'due' then payment_line.amount else 0 end) as due_amount,
        sum(
            case
                when
                    payment_line.line_state = 'due'
                    and not coalesce(payment_line.payment_period < kind_go_live.first_payment_period, false)
                    then payment_line.amount
                else 0
            end
        ) as open_amount
    from payment_line
    left join kind_go_live on payment_line.earning_kind = kind_go_live.earning_kind
    group by payment_line.employee_number, payment_line.payment_period, payment_line.currency_code
),

-- what the ledger has in the month, with whichever month it is paid
booked_line as (
    select
        employee_number,
        ledger_payment_period as payment_period,
        currency_code,
        count(*) as booked_line_count,
        count(case when line_state = 'exported' then 1 end) as exported_line_count
    from payment_line
    group by employee_number, ledger_payment_period, currency_code
),

-- with which nothing is paid has the status of what is booked in it
counted as (
    select
        summed.*,
        coalesce(paid_line.exported_amount, 0) as exported_amount,
        coalesce(paid_line.due_amount, 0) as due_amount,
        coalesce(paid_line.open_amount, 0) as open_amount,
        coalesce(paid_line.paid_line_count, booked_line.booked_line_count, 0) as payable_line_count,
        case
            when paid_line.employee_number is not null then paid_line.exported_line_count
            else coalesce(booked_line.exported_line_count, 0)
        end as exported_line_count,
        coalesce(summed.payment_period < go_live.first_payment_period, false) as is_before_first
    from summed
    cross join go_live
    left join paid_line
        on
            summed.employee_number = paid_line.employee_number
            and summed.payment_period = paid_line.payment_period
            and summed.currency_code = paid_line.currency_code
    left join booked_line
        on
            summed.employee_number = booked_line.employee_number
            and summed.payment_period = booked_line.payment_period
            and summed.currency_code = booked_line.currency_code
),

judged as (
    select
        counted.*,
        case
            when counted.exported_line_count > 0 and counted.exported_line_count = counted.payable_line_count
                then 'exported'
            when counted.exported_line_count > 0 then 'partly_exported'
            when
                counted.is_before_first
                and (
                    counted.payment_period < payment_moment.as_of_month or closed_payment.payment_period is not null
                )
                then 'released'
            else 'pending'
        end as payout_status
    from counted
    cross join payment_moment
    left join closed_payment on counted.payment_period = closed_payment.payment_period
),

final as (
    select
        cast({{ md5_of(['employee_number', 'payment_period', 'currency_code']) }} as varchar)
            as payout_balance_key,
        cast(employee_number as varchar) as employee_number,
        cast(payment_period as varchar) as payment_period,
        cast(currency_code as varchar) as currency_code,
        cast(line_count as bigint) as line_count,
        cast(earned_amount as decimal(18, 2)) as earned_amount,
        cast(cap_amount as decimal(18, 2)) as cap_amount,
        cast(clawback_amount as decimal(18, 2)) as clawback_amount,
        cast(carried_in_amount as decimal(18, 2)) as carried_in_amount,
        cast(balance_amount as decimal(18, 2)) as balance_amount,
        cast(exported_amount + due_amount as decimal(18, 2)) as payable_amount,
        cast(least(balance_amount, 0) as decimal(18, 2)) as carried_amount,
        cast(carried_out_amount as decimal(18, 2)) as carried_out_amount,
        cast(payout_status as varchar) as payout_status,
        cast(exported_amount as decimal(18, 2)) as exported_amount,
        cast(open_amount as decimal(18, 2)) as open_amount
    from judged
)

select * from final
