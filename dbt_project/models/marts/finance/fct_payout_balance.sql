-- What is payable to each person in each payment period: the ledger's lines summed. A period below zero pays nothing,
-- and what is below zero is carried into the next. Whether it was paid is what the payroll exports say; only of months
-- before the first the ledger pays is the calendar asked.
with payout_ledger as (
    select * from {{ ref('fct_payout_ledger') }}
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

exported_line as (
    select ledger_line_id
    from {{ ref('int_payroll_export_ledger_line') }}
),

go_live as (
    select max(first_payment_period) as first_payment_period
    from {{ ref('int_payroll_go_live') }}
    where is_standing
),

-- the payment of a closed quarter has been handed over, though its month may not have ended
closed_payment as (
    select distinct incentive_period.payment_period
    from incentive_period
    inner join closed_quarter on incentive_period.earned_quarter = closed_quarter.earned_quarter
),

summed as (
    select
        payout_ledger.employee_number,
        payout_ledger.payment_period,
        payout_ledger.currency_code,
        count(*) as line_count,
        sum(case when payout_ledger.item_kind = 'earning' then payout_ledger.amount else 0 end) as earned_amount,
        sum(case when payout_ledger.item_kind = 'cap' then payout_ledger.amount else 0 end) as cap_amount,
        sum(case when payout_ledger.item_kind = 'clawback' then payout_ledger.amount else 0 end) as clawback_amount,
        sum(case when payout_ledger.reason = 'carried_in' then payout_ledger.amount else 0 end) as carried_in_amount,
        sum(case when payout_ledger.reason = 'carried_out' then payout_ledger.amount else 0 end) as carried_out_amount,
        sum(case when payout_ledger.reason <> 'carried_out' then payout_ledger.amount else 0 end) as balance_amount,
        -- lines that only carry forward are never handed over: what they carry is
        count(case when payout_ledger.item_kind <> 'carry_forward' then 1 end) as payable_line_count,
        count(exported_line.ledger_line_id) as exported_line_count,
        sum(
            case
                when payout_ledger.item_kind <> 'carry_forward' and exported_line.ledger_line_id is null
                    then payout_ledger.amount
                else 0
            end
        ) as open_line_amount
    from payout_ledger
    left join exported_line on payout_ledger.ledger_line_id = exported_line.ledger_line_id
    group by payout_ledger.employee_number, payout_ledger.payment_period, payout_ledger.currency_code
),

judged as (
    select
        summed.*,
        case
            when summed.exported_line_count > 0 and summed.exported_line_count = summed.payable_line_count
                then 'exported'
            when summed.exported_line_count > 0 then 'partly_exported'
            when
                summed.payment_period < go_live.first_payment_period
                and (
                    summed.payment_period < payment_moment.as_of_month or closed_payment.payment_period is not null
                )
                then 'released'
            else 'pending'
        end as payout_status
    from summed
    cross join payment_moment
    cross join go_live
    left join closed_payment on summed.payment_period = closed_payment.payment_period
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
        cast(greatest(balance_amount, 0) as decimal(18, 2)) as payable_amount,
        cast(least(balance_amount, 0) as decimal(18, 2)) as carried_amount,
        cast(carried_out_amount as decimal(18, 2)) as carried_out_amount,
        cast(payout_status as varchar) as payout_status,
        cast(
            case payout_status
                when 'pending' then greatest(balance_amount, 0)
                when 'partly_exported' then greatest(open_line_amount, 0)
                else 0
            end as decimal(18, 2)
        ) as open_amount
    from judged
)

select * from final
