-- Every line of the payout ledger with the payment it belongs to: handed over, due, or waiting. A line joins the
-- earlier line of its earning that was not handed over yet: what was never paid is never taken from other pay. What a
-- month then leaves below zero waits for the next month that pays, and is netted there. What is withheld from a
-- payment, demanded of it and exported of it is judged by this one statement of what is paid. Lines that only carry
-- forward are left out: what they carry is here itself.
with payout_ledger as (
    select * from {{ ref('fct_payout_ledger') }}
    where item_kind <> 'carry_forward'
),

exported_line as (
    select * from {{ ref('int_payroll_export_ledger_line') }}
),

draw as (
    select
        earning_line_id,
        plan_code
    from {{ ref('fct_draw') }}
),

payroll_go_live as (
    select * from {{ ref('int_payroll_go_live') }}
),

go_live as (
    {{ first_month_by_kind('payout_ledger', 'payroll_go_live') }}
),

-- what was paid outside, before the first month, attracts nothing and stays where it is
unpaid_line as (
    select
        payout_ledger.*,
        draw.plan_code,
        coalesce(payout_ledger.payment_period >= go_live.first_payment_period, false) as is_paid_here
    from payout_ledger
    left join go_live on payout_ledger.earning_kind = go_live.earning_kind
    left join exported_line on payout_ledger.ledger_line_id = exported_line.ledger_line_id
    left join draw on payout_ledger.earning_line_id = draw.earning_line_id
    where exported_line.ledger_line_id is null
),

-- the first month in which an earning is open: its later lines belong there
open_earning as (
    select
        employee_number,
        currency_code,
        earning_kind,
        plan_code,
        earning_line_id,
        min(payment_period) as earning_period,
        sum(amount) as amount
    from unpaid_line
    where is_paid_here and earning_line_id is not null
    group by employee_number, currency_code, earning_kind, plan_code, earning_line_id
),

-- each quarter's advance is an earning of its own: what is set off goes with the last advance before it that is open
set_off as (
    select
        taken.employee_number,
        taken.currency_code,
        taken.earning_line_id,
        max(advanced.earning_period) as advance_period
    from open_earning as taken
    inner join open_earning as advanced
        on
            taken.employee_number = advanced.employee_number
            and taken.currency_code = advanced.currency_code
            and coalesce(taken.plan_code, '') = coalesce(advanced.plan_code, '')
            and taken.earning_period > advanced.earning_period
    where
        taken.earning_kind = 'draw' and taken.amount < 0
        and advanced.earning_kind = 'draw' and advanced.amount > 0
    group by taken.employee_number, taken.currency_code, taken.earning_line_id
),

open_line as (
    select
        unpaid_line.ledger_line_id,
        unpaid_line.employee_number,
        unpaid_line.currency_code,
        unpaid_line.country_code,
        unpaid_line.earning_kind,
        unpaid_line.item_kind,
        unpaid_line.earning_line_id,
        unpaid_line.cost_centre_code,
        unpaid_line.earned_quarter,
        unpaid_line.amount,
        unpaid_line.payment_period as ledger_payment_period,
        case
            when unpaid_line.is_paid_here
                then coalesce(set_off.advance_period, open_earning.earning_period, unpaid_line.payment_period)
            else unpaid_line.payment_period
        end as payment_period
    from unpaid_line
    left join open_earning
        on
            unpaid_line.employee_number = open_earning.employee_number
            and unpaid_line.currency_code = open_earning.currency_code
            and unpaid_line.earning_line_id = open_earning.earning_line_id
    left join set_off
        on
            unpaid_line.employee_number = set_off.employee_number
            and unpaid_line.currency_code = set_off.currency_code
            and unpaid_line.earning_line_id = set_off.earning_line_id
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
        payment_period as joined_period,
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
        open_line.ledger_payment_period,
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
            and open_line.payment_period = paid_month.joined_period

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
