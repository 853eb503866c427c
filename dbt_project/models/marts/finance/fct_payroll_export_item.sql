-- Every line of the payout ledger with the payment it belongs to: exported, to be exported, or why not. What a month
-- leaves below zero waits for the next month that pays. A person's payment goes whole or not at all, so that what is
-- netted in it is netted in the export too. Lines that only carry forward are left out: what they carry is here itself.
with payout_ledger as (
    select * from {{ ref('fct_payout_ledger') }}
    where item_kind <> 'carry_forward'
),

exported_line as (
    select * from {{ ref('int_payroll_export_ledger_line') }}
),

payment_readiness as (
    select * from {{ ref('rpt_payment_readiness') }}
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

due_line as (
    select
        open_line.*,
        coalesce(paid_month.paid_period, paid_month.last_period) as paid_in_period,
        paid_month.paid_period is null as is_waiting,
        {{ add_days(add_months(month_code_start('coalesce(paid_month.paid_period, paid_month.last_period)'), 1), -1) }}
            as posted_on
    from open_line
    inner join paid_month
        on
            open_line.employee_number = paid_month.employee_number
            and open_line.currency_code = paid_month.currency_code
            and open_line.payment_period = paid_month.ledger_payment_period
),

kind_month as (
    select distinct
        earning_kind,
        posted_on
    from due_line
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
        case when due_line.is_waiting then 'negative_balance' end as waiting_fault,
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
        bool_and(is_payment_ready) as is_payment_ready,
        {{ string_list('case when not is_met then demand_code end', 'demand_code') }} as unmet_demands
    from payment_readiness
    group by employee_number, country_code, currency_code, payment_period
),

country_total as (
    select
        employee_number,
        coalesce(country_code, '') as country_code,
        currency_code,
        paid_in_period,
        sum(amount) as amount
    from mapped
    group by employee_number, coalesce(country_code, ''), currency_code, paid_in_period
),

country_finding as (
    select
        country_total.employee_number,
        country_total.currency_code,
        country_total.paid_in_period,
        min(country_total.amount) < 0 and count(*) > 1 as is_negative_somewhere,
        {{ string_list(
            "case
                when readiness.employee_number is null then 'readiness_not_judged'
                when not readiness.is_payment_ready
                    then 'readiness (' || coalesce(readiness.unmet_demands, 'unknown') || ')'
            end",
            'country_total.country_code'
        ) }} as readiness_fault
    from country_total
    left join readiness
        on
            country_total.employee_number = readiness.employee_number
            and country_total.country_code = readiness.country_code
            and country_total.currency_code = readiness.currency_code
            and country_total.paid_in_period = readiness.payment_period
    group by country_total.employee_number, country_total.currency_code, country_total.paid_in_period
),

-- one verdict on a person's whole payment
payment as (
    select
        mapped.employee_number,
        mapped.currency_code,
        mapped.paid_in_period,
        nullif(
            concat_ws(
                ', ',
                max(mapped.waiting_fault),
                max(mapped.country_fault),
                case when bool_or(country_finding.is_negative_somewhere) then 'negative_in_one_country' end,
                max(country_finding.readiness_fault),
                max(mapped.pay_code_fault),
                max(mapped.account_fault),
                max(mapped.cost_centre_fault),
                max(mapped.counter_account_fault)
            ),
            ''
        ) as refusal_reasons
    from mapped
    inner join country_finding
        on
            mapped.employee_number = country_finding.employee_number
            and mapped.currency_code = country_finding.currency_code
            and mapped.paid_in_period = country_finding.paid_in_period
    group by mapped.employee_number, mapped.currency_code, mapped.paid_in_period
),

listed as (
    select
        mapped.ledger_line_id,
        mapped.paid_in_period as payment_period,
        mapped.payment_period as ledger_payment_period,
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
        case when payment.refusal_reasons is null then 'payable' else 'blocked' end as item_status,
        payment.refusal_reasons
    from mapped
    inner join payment
        on
            mapped.employee_number = payment.employee_number
            and mapped.currency_code = payment.currency_code
            and mapped.paid_in_period = payment.paid_in_period

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
        exported_line.pay_code,
        exported_line.account_code,
        payout_ledger.cost_centre_code,
        payout_ledger.earned_quarter,
        exported_line.amount,
        'exported' as item_status,
        cast(null as varchar) as refusal_reasons
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
