-- Every line of a payment: exported, to be exported, or why not. A kind of pay that does not meet its demands is held
-- by itself, and the rest of the person's payment goes; but never around a debt: where the rest or what is held is
-- below zero, all of it waits, so that what is netted in a payment is netted in the export too.
-- What was paid before the first month the ledger pays of its kind was paid outside it, and is never payable.
with payment_line as (
    select * from {{ ref('fct_payment_line') }}
),

exported_line as (
    select * from {{ ref('int_payroll_export_ledger_line') }}
),

payment_readiness as (
    select * from {{ ref('rpt_payment_readiness') }}
),

payroll_go_live as (
    select * from {{ ref('int_payroll_go_live') }}
),

payout_account as (
    select * from {{ ref('payout_account') }}
),

payout_pay_code as (
    select * from {{ ref('payout_pay_code') }}
),

gl_account as (
    select * from {{ ref('gl_account') }}
),

cost_centre as (
    select * from {{ ref('cost_centre') }}
),

due_line as (
    select
        *,
        payment_period as paid_in_period,
        line_state = 'waiting' as is_waiting,
        {{ add_days(add_months(month_code_start('payment_period'), 1), -1) }} as posted_on
    from payment_line
    where line_state <> 'exported'
),

kind_month as (
    select distinct
        earning_kind,
        posted_on
    from due_line
),

go_live as (
    {{ first_month_by_kind('due_line', 'payroll_go_live') }}
),

kind_account as (
    select
        kind_month.earning_kind,
        kind_month.posted_on,
        count(gl_account.account_code) as account_count,
        max(gl_account.account_code) as account_code
    from kind_month
    left join payout_account
        on
            kind_month.earning_kind = payout_account.earning_kind
            and kind_month.posted_on >= payout_account.effective_from
            and kind_month.posted_on <= coalesce(payout_account.effective_to, date '9999-12-31')
    left join gl_account
        on payout_account.account_code = gl_account.account_code and gl_account.account_role = 'incentive_expense'
    group by kind_month.earning_kind, kind_month.posted_on
),

kind_pay_code as (
    select
        kind_month.earning_kind,
        kind_month.posted_on,
        count(payout_pay_code.earning_code) as pay_code_count,
        max(payout_pay_code.earning_code) as pay_code
    from kind_month
    left join payout_pay_code
        on
            kind_month.earning_kind = payout_pay_code.earning_kind
            and kind_month.posted_on >= payout_pay_code.effective_from
            and kind_month.posted_on <= coalesce(payout_pay_code.effective_to, date '9999-12-31')
    group by kind_month.earning_kind, kind_month.posted_on
),

-- the accounts the journal needs besides the expense: exactly one of each
counter_account as (
    select
        sum(case when account_role = 'payroll_payable' then 1 else 0 end) as payable_count,
        sum(case when account_role = 'incentive_accrual' then 1 else 0 end) as accrual_count,
        sum(case when account_role = 'incentive_accrual_expense' then 1 else 0 end) as accrual_expense_count
    from gl_account
),

mapped as (
    select
        due_line.*,
        kind_pay_code.pay_code,
        kind_account.account_code,
        not due_line.is_waiting
        and coalesce(due_line.paid_in_period < go_live.first_payment_period, false) as is_paid_outside,
        case when due_line.is_waiting then 'negative_balance' end as waiting_fault,
        case when go_live.first_payment_period is null then 'go_live_missing' end as go_live_fault,
        case when coalesce(due_line.country_code, '') = '' then 'country_unknown' end as country_fault,
        case when kind_pay_code.pay_code_count <> 1 then 'pay_code_missing (' || due_line.earning_kind || ')' end
            as pay_code_fault,
        case when kind_account.account_count <> 1 then 'account_missing (' || due_line.earning_kind || ')' end
            as account_fault,
        case
            when cost_centre.cost_centre_code is null
                then 'cost_centre_missing (' || coalesce(due_line.cost_centre_code, 'none') || ')'
            when cost_centre.currency_code <> due_line.currency_code
                then 'cost_centre_in_other_currency (' || due_line.cost_centre_code || ')'
        end as cost_centre_fault,
        case
            when
                counter_account.payable_count <> 1 or counter_account.accrual_count <> 1
                or counter_account.accrual_expense_count <> 1
                then 'counter_account_missing'
        end as counter_account_fault
    from due_line
    cross join counter_account
    left join go_live on due_line.earning_kind = go_live.earning_kind
    left join kind_account
        on due_line.earning_kind = kind_account.earning_kind and due_line.posted_on = kind_account.posted_on
    left join kind_pay_code
        on due_line.earning_kind = kind_pay_code.earning_kind and due_line.posted_on = kind_pay_code.posted_on
    left join cost_centre on due_line.cost_centre_code = cost_centre.cost_centre_code
),

readiness as (
    select
        employee_number,
        country_code,
        currency_code,
        payment_period,
        earning_kind,
        bool_and(is_payment_ready) as is_payment_ready,
        {{ string_list('case when not is_met then demand_code end', 'demand_code') }} as unmet_demands
    from payment_readiness
    group by employee_number, country_code, currency_code, payment_period, earning_kind
),

-- what waits below zero is no payment: nothing is judged of it yet
kind_total as (
    select
        employee_number,
        coalesce(country_code, '') as country_code,
        currency_code,
        paid_in_period,
        earning_kind,
        bool_or(is_waiting) as is_waiting,
        bool_and(is_paid_outside) as is_paid_outside,
        max(go_live_fault) as go_live_fault,
        sum(amount) as amount
    from mapped
    group by employee_number, coalesce(country_code, ''), currency_code, paid_in_period, earning_kind
),

kind_judged as (
    select
        kind_total.*,
        case
            when kind_total.is_waiting then cast(null as varchar)
            when readiness.employee_number is null then 'readiness_not_judged'
            when not readiness.is_payment_ready
                then 'readiness (' || coalesce(readiness.unmet_demands, 'unknown') || ')'
        end as readiness_fault
    from kind_total
    left join readiness
        on
            kind_total.employee_number = readiness.employee_number
            and kind_total.country_code = readiness.country_code
            and kind_total.currency_code = readiness.currency_code
            and kind_total.paid_in_period = readiness.payment_period
            and kind_total.earning_kind = readiness.earning_kind
),

-- one verdict on a kind of pay in a person's payment, whichever countries it is of
kind_finding as (
    select
        employee_number,
        currency_code,
        paid_in_period,
        earning_kind,
        max(readiness_fault) is not null or max(case when not is_waiting then go_live_fault end) is not null as is_held,
        bool_and(is_paid_outside) as is_paid_outside,
        max(go_live_fault) as go_live_fault,
        {{ string_list('readiness_fault', 'country_code') }} as readiness_fault
    from kind_judged
    group by employee_number, currency_code, paid_in_period, earning_kind
),

-- what was paid outside is netted with nothing that is paid here
country_total as (
    select
        kind_judged.employee_number,
        kind_judged.country_code,
        kind_judged.currency_code,
        kind_judged.paid_in_period,
        sum(kind_judged.amount) as amount,
        sum(case when kind_finding.is_held then kind_judged.amount else 0 end) as held_amount,
        bool_or(kind_finding.is_held) as is_held
    from kind_judged
    inner join kind_finding
        on
            kind_judged.employee_number = kind_finding.employee_number
            and kind_judged.currency_code = kind_finding.currency_code
            and kind_judged.paid_in_period = kind_finding.paid_in_period
            and kind_judged.earning_kind = kind_finding.earning_kind
    where not kind_finding.is_paid_outside
    group by
        kind_judged.employee_number, kind_judged.country_code, kind_judged.currency_code, kind_judged.paid_in_period
),

country_finding as (
    select
        employee_number,
        currency_code,
        paid_in_period,
        min(amount) < 0 and count(*) > 1 as is_negative_somewhere,
        bool_or(is_held)
        and (min(held_amount) < 0 or min(amount - held_amount) < 0) as is_debt_beside_held
    from country_total
    group by employee_number, currency_code, paid_in_period
),

-- what concerns a person's whole payment, as far as it is paid here
payment as (
    select
        mapped.employee_number,
        mapped.currency_code,
        mapped.paid_in_period,
        max(mapped.waiting_fault) as waiting_fault,
        max(mapped.country_fault) as country_fault,
        case when bool_or(country_finding.is_negative_somewhere) then 'negative_in_one_country' end as negative_fault,
        case when bool_or(country_finding.is_debt_beside_held) then 'netted_with_held_pay' end as netting_fault,
        max(mapped.pay_code_fault) as pay_code_fault,
        max(mapped.account_fault) as account_fault,
        max(mapped.cost_centre_fault) as cost_centre_fault,
        max(mapped.counter_account_fault) as counter_account_fault
    from mapped
    inner join country_finding
        on
            mapped.employee_number = country_finding.employee_number
            and mapped.currency_code = country_finding.currency_code
            and mapped.paid_in_period = country_finding.paid_in_period
    where not mapped.is_paid_outside
    group by mapped.employee_number, mapped.currency_code, mapped.paid_in_period
),

verdict as (
    select
        kind_finding.employee_number,
        kind_finding.currency_code,
        kind_finding.paid_in_period,
        kind_finding.earning_kind,
        kind_finding.is_paid_outside,
        nullif(
            concat_ws(
                ', ',
                payment.waiting_fault,
                kind_finding.go_live_fault,
                payment.country_fault,
                payment.negative_fault,
                kind_finding.readiness_fault,
                case when not kind_finding.is_held then payment.netting_fault end,
                payment.pay_code_fault,
                payment.account_fault,
                payment.cost_centre_fault,
                payment.counter_account_fault
            ),
            ''
        ) as refusal_reasons
    from kind_finding
    left join payment
        on
            kind_finding.employee_number = payment.employee_number
            and kind_finding.currency_code = payment.currency_code
            and kind_finding.paid_in_period = payment.paid_in_period
),

listed as (
    select
        mapped.ledger_line_id,
        mapped.payment_period,
        mapped.ledger_payment_period,
        mapped.country_code,
        cast(null as integer) as export_number,
        mapped.employee_number,
        mapped.currency_code,
        mapped.earning_kind,
        mapped.item_kind,
        mapped.pay_code,
        mapped.account_code,
        mapped.cost_centre_code,
        mapped.earned_quarter,
        mapped.amount,
        case
            when verdict.is_paid_outside then 'paid_outside'
            when verdict.refusal_reasons is null then 'payable'
            else 'blocked'
        end as item_status,
        case when not verdict.is_paid_outside then verdict.refusal_reasons end as refusal_reasons
    from mapped
    inner join verdict
        on
            mapped.employee_number = verdict.employee_number
            and mapped.currency_code = verdict.currency_code
            and mapped.paid_in_period = verdict.paid_in_period
            and mapped.earning_kind = verdict.earning_kind

    union all

    -- what was handed over stands as it was handed over
    select
        payment_line.ledger_line_id,
        payment_line.payment_period,
        payment_line.ledger_payment_period,
        payment_line.country_code,
        payment_line.export_number,
        payment_line.employee_number,
        payment_line.currency_code,
        payment_line.earning_kind,
        payment_line.item_kind,
        exported_line.pay_code,
        exported_line.account_code,
        payment_line.cost_centre_code,
        payment_line.earned_quarter,
        payment_line.amount,
        'exported' as item_status,
        cast(null as varchar) as refusal_reasons
    from payment_line
    inner join exported_line on payment_line.ledger_line_id = exported_line.ledger_line_id
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
        cast(pay_code as varchar) as pay_code,
        cast(account_code as varchar) as account_code,
        cast(cost_centre_code as varchar) as cost_centre_code,
        cast(earned_quarter as varchar) as earned_quarter,
        cast(amount as decimal(18, 2)) as amount,
        cast(earning_kind = 'incentive' and item_kind = 'earning' as boolean) as is_accrued,
        cast(item_status as varchar) as item_status,
        cast(refusal_reasons as varchar) as refusal_reasons
    from listed
)

select * from final
