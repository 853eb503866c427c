-- What is payable to each person in each payment period: the ledger's lines summed. A period below zero pays nothing,
-- and what is below zero is carried into the next.
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
        sum(case when payout_ledger.reason <> 'carried_out' then payout_ledger.amount else 0 end) as balance_amount
    from payout_ledger
    group by payout_ledger.employee_number, payout_ledger.payment_period, payout_ledger.currency_code
),

final as (
    select
        cast({{ md5_of(['summed.employee_number', 'summed.payment_period', 'summed.currency_code']) }} as varchar)
            as payout_balance_key,
        cast(summed.employee_number as varchar) as employee_number,
        cast(summed.payment_period as varchar) as payment_period,
        cast(summed.currency_code as varchar) as currency_code,
        cast(summed.line_count as bigint) as line_count,
        cast(summed.earned_amount as decimal(18, 2)) as earned_amount,
        cast(summed.cap_amount as decimal(18, 2)) as cap_amount,
        cast(summed.clawback_amount as decimal(18, 2)) as clawback_amount,
        cast(summed.carried_in_amount as decimal(18, 2)) as carried_in_amount,
        cast(summed.balance_amount as decimal(18, 2)) as balance_amount,
        cast(greatest(summed.balance_amount, 0) as decimal(18, 2)) as payable_amount,
        cast(least(summed.balance_amount, 0) as decimal(18, 2)) as carried_amount,
        cast(summed.carried_out_amount as decimal(18, 2)) as carried_out_amount,
        cast(
            case
                when summed.payment_period < payment_moment.as_of_month or closed_payment.payment_period is not null
                    then 'released'
                else 'pending'
            end as varchar
        ) as payout_status
    from summed
    cross join payment_moment
    left join closed_payment on summed.payment_period = closed_payment.payment_period
)

select * from final
