-- Every line of the payout ledger with the payment it belongs to: handed over, due, or waiting. What a month leaves
-- below zero waits for the next month that pays, and is netted there. What is withheld from a payment, demanded of it
-- and exported of it is judged by this one statement of what is paid. Lines that only carry forward are left out: what
-- they carry is here itself.
with payout_ledger as (
    select * from {{ ref('fct_payout_ledger') }}
    where item_kind <> 'carry_forward'
),

exported_line as (
    select * from {{ ref('int_payroll_export_ledger_line') }}
),

open_line as (
    select payout_ledger.*
    from payout_ledger
    left join exported_line on payout_ledger.ledger_line_id = exported_line.ledger_line_id
    where exported_line.ledger_line_id is null
),

open_balance as (
    select
        employee_number,
        currency_code,
        payment_period,
        sum(amount) as balance_amount
    from open_line
    group by employee_number, currency_code, payment_period
),

cumulated as (
    select
        *,
        sum(balance_amount) over (
            partition by employee_number, currency_code order by payment_period
            rows between unbounded preceding and current row
        ) as cumulated_amount
    from open_balance
),

-- carried(k) = least(0, carried(k - 1) + balance(k)), which is the running sum less its highest value so far
carried as (
    select
        *,
        cumulated_amount - greatest(
            0,
            max(cumulated_amount) over (
                partition by employee_number, currency_code order by payment_period
                rows between unbounded preceding and current row
            )
        ) as carried_amount
    from cumulated
),

-- the first month from this one on that leaves nothing below zero
paid_month as (
    select
        employee_number,
        currency_code,
        payment_period as ledger_payment_period,
        min(case when carried_amount = 0 then payment_period end) over (
            partition by employee_number, currency_code order by payment_period
            rows between current row and unbounded following
        ) as paid_period,
        max(payment_period) over (partition by employee_number, currency_code) as last_period
    from carried
),

placed as (
    select
        open_line.ledger_line_id,
        coalesce(paid_month.paid_period, paid_month.last_period) as payment_period,
        open_line.payment_period as ledger_payment_period,
        open_line.country_code,
        cast(null as integer) as export_number,
        open_line.employee_number,
        open_line.currency_code,
        open_line.earning_kind,
        open_line.item_kind,
        open_line.earning_line_id,
        open_line.cost_centre_code,
        open_line.earned_quarter,
        open_line.amount,
        case when paid_month.paid_period is null then 'waiting' else 'due' end as line_state
    from open_line
    inner join paid_month
        on
            open_line.employee_number = paid_month.employee_number
            and open_line.currency_code = paid_month.currency_code
            and open_line.payment_period = paid_month.ledger_payment_period

    union all

    -- what was handed over stands as it was handed over
    select
        payout_ledger.ledger_line_id,
        exported_line.payment_period,
        payout_ledger.payment_period as ledger_payment_period,
        exported_line.country_code,
        exported_line.export_number,
        exported_line.employee_number,
        exported_line.currency_code,
        exported_line.earning_kind,
        payout_ledger.item_kind,
        payout_ledger.earning_line_id,
        payout_ledger.cost_centre_code,
        payout_ledger.earned_quarter,
        exported_line.amount,
        'exported' as line_state
    from payout_ledger
    inner join exported_line on payout_ledger.ledger_line_id = exported_line.ledger_line_id
),

final as (
    select
        cast(ledger_line_id as varchar) as ledger_line_id,
        cast(payment_period as varchar) as payment_period,
        cast(ledger_payment_period as varchar) as ledger_payment_period,
        cast(country_code as varchar) as country_code,
        cast(export_number as integer) as export_number,
        cast(employee_number as varchar) as employee_number,
        cast(currency_code as varchar) as currency_code,
        cast(earning_kind as varchar) as earning_kind,
        cast(item_kind as varchar) as item_kind,
        cast(earning_line_id as varchar) as earning_line_id,
        cast(cost_centre_code as varchar) as cost_centre_code,
        cast(earned_quarter as varchar) as earned_quarter,
        cast(amount as decimal(18, 2)) as amount,
        cast(line_state as varchar) as line_state
    from placed
)

select * from final
