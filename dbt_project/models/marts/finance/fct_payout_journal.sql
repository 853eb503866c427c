-- What the payout ledger and the accrual schedule ask the general ledger to post: accruals of the quarters paid, their
-- payment, and the reversal of the accrual by what is paid. Each movement is a pair of a debit and a credit within its
-- voucher. What was exported stands as it was; of an accrual that was exported only the difference follows. A quarter
-- that was paid outside was accrued outside: what is paid of it here is expense against payable, and reverses nothing.
with payroll_export_item as (
    select * from {{ ref('fct_payroll_export_item') }}
),

export_readiness as (
    select * from {{ ref('rpt_payroll_export_readiness') }}
),

exported_line as (
    select * from {{ ref('int_payroll_export_journal_line') }}
),

accrual as (
    select * from {{ ref('fct_accrual') }}
    where accrual_kind in ('recognition', 'true_up')
),

incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

gl_account as (
    select * from {{ ref('gl_account') }}
),

-- quarters whose plan pay was paid outside, and what of them was accrued here all the same
outside_quarter as (
    select distinct earned_quarter
    from payroll_export_item
    where is_accrued and item_status = 'paid_outside'
),

accrued_here as (
    select distinct
        earned_quarter,
        currency_code,
        coalesce(country_code, '') as country_code
    from exported_line
    where voucher_kind = 'accrual'
),

item as (
    select
        payroll_export_item.*,
        payroll_export_item.is_accrued
        and (outside_quarter.earned_quarter is null or accrued_here.earned_quarter is not null) as is_accrued_here
    from payroll_export_item
    left join outside_quarter on payroll_export_item.earned_quarter = outside_quarter.earned_quarter
    left join accrued_here
        on
            payroll_export_item.earned_quarter = accrued_here.earned_quarter
            and payroll_export_item.currency_code = accrued_here.currency_code
            and coalesce(payroll_export_item.country_code, '') = accrued_here.country_code
    where payroll_export_item.item_status = 'payable'
),

export_state as (
    select
        payment_period,
        country_code,
        max(export_number) as export_number,
        bool_and(is_met) as is_approved,
        {{ string_list('case when not is_met then demand_code end', 'demand_code') }} as unmet_demands
    from export_readiness
    group by payment_period, country_code
),

account as (
    select
        max(case when account_role = 'payroll_payable' then account_code end) as payable_account_code,
        max(case when account_role = 'incentive_accrual' then account_code end) as accrual_account_code,
        max(case when account_role = 'incentive_accrual_expense' then account_code end)
            as accrual_expense_account_code
    from gl_account
),

-- accruals know no country: each month's is laid on the countries of the quarter's calculated pay, to the cent, and its
-- true-up makes each country's accruals its calculated pay
country_payout as (
    select
        earned_quarter,
        cost_centre_code,
        currency_code,
        coalesce(country_code, '') as country_code,
        sum(payout_amount) as payout_amount
    from incentive_payout
    group by earned_quarter, cost_centre_code, currency_code, coalesce(country_code, '')
),

recognition as (
    select
        accrual.earned_quarter,
        accrual.cost_centre_code,
        accrual.currency_code,
        accrual.accrual_month,
        accrual.accrual_amount,
        coalesce(country_payout.country_code, '') as country_code,
        case
            when country_payout.country_code is null then 1
            else {{ integer_units('country_payout.payout_amount', 2) }}
        end as weight_units
    from accrual
    left join country_payout
        on
            accrual.earned_quarter = country_payout.earned_quarter
            and accrual.cost_centre_code = country_payout.cost_centre_code
            and accrual.currency_code = country_payout.currency_code
            and country_payout.payout_amount > 0
    where accrual.accrual_kind = 'recognition'
),

recognition_whole as (
    select
        *,
        sum(weight_units) over (partition by earned_quarter, cost_centre_code, currency_code, accrual_month)
            as denominator
    from recognition
),

recognised as (
    select
        earned_quarter,
        cost_centre_code,
        currency_code,
        accrual_month,
        country_code,
        {{ from_integer_units(
            allocate_largest_remainder(
                integer_units('accrual_amount', 2) ~ ' * weight_units',
                'denominator',
                'earned_quarter, cost_centre_code, currency_code, accrual_month',
                'country_code'
            ),
            2
        ) }} as amount
    from recognition_whole
),

recognised_total as (
    select
        earned_quarter,
        cost_centre_code,
        currency_code,
        country_code,
        sum(amount) as amount
    from recognised
    group by earned_quarter, cost_centre_code, currency_code, country_code
),

trued_up_quarter as (
    select
        earned_quarter,
        min(accrual_month) as accrual_month
    from accrual
    where accrual_kind = 'true_up'
    group by earned_quarter
),

true_up as (
    select
        coalesce(country_payout.earned_quarter, recognised_total.earned_quarter) as earned_quarter,
        coalesce(country_payout.cost_centre_code, recognised_total.cost_centre_code) as cost_centre_code,
        coalesce(country_payout.currency_code, recognised_total.currency_code) as currency_code,
        coalesce(country_payout.country_code, recognised_total.country_code) as country_code,
        coalesce(country_payout.payout_amount, 0) - coalesce(recognised_total.amount, 0) as amount
    from country_payout
    full outer join recognised_total
        on
            country_payout.earned_quarter = recognised_total.earned_quarter
            and country_payout.cost_centre_code = recognised_total.cost_centre_code
            and country_payout.currency_code = recognised_total.currency_code
            and country_payout.country_code = recognised_total.country_code
),

accrual_movement as (
    select
        earned_quarter,
        cost_centre_code,
        currency_code,
        accrual_month,
        country_code,
        amount
    from recognised

    union all

    select
        true_up.earned_quarter,
        true_up.cost_centre_code,
        true_up.currency_code,
        trued_up_quarter.accrual_month,
        true_up.country_code,
        true_up.amount
    from true_up
    inner join trued_up_quarter on true_up.earned_quarter = trued_up_quarter.earned_quarter

    union all

    select
        earned_quarter,
        cost_centre_code,
        currency_code,
        fiscal_period as accrual_month,
        country_code,
        case when side = 'debit' then -amount else amount end as amount
    from exported_line
    where voucher_kind = 'accrual' and account_role = 'incentive_accrual_expense'
),

accrual_open as (
    select
        earned_quarter,
        cost_centre_code,
        currency_code,
        accrual_month,
        country_code,
        sum(amount) as amount
    from accrual_movement
    group by earned_quarter, cost_centre_code, currency_code, accrual_month, country_code
    having sum(amount) <> 0
),

-- the accruals of a quarter go with the first payment that pays of it
paying_export as (
    select
        earned_quarter,
        country_code,
        min(payment_period) as payment_period
    from item
    where is_accrued_here
    group by earned_quarter, country_code
),

-- one row per movement: positive amounts are debited on the first account and credited on the second
movement as (
    select
        'accrual' as voucher_kind,
        paying_export.payment_period,
        accrual_open.country_code,
        accrual_open.accrual_month as fiscal_period,
        accrual_open.currency_code,
        accrual_open.cost_centre_code,
        accrual_open.earned_quarter,
        'incentive_accrual_expense' as account_role,
        account.accrual_expense_account_code as account_code,
        'incentive_accrual' as counter_account_role,
        account.accrual_account_code as counter_account_code,
        accrual_open.amount
    from accrual_open
    cross join account
    left join paying_export
        on
            accrual_open.earned_quarter = paying_export.earned_quarter
            and accrual_open.country_code = paying_export.country_code

    union all

    select
        'payment' as voucher_kind,
        item.payment_period,
        item.country_code,
        item.payment_period as fiscal_period,
        item.currency_code,
        item.cost_centre_code,
        item.earned_quarter,
        'incentive_expense' as account_role,
        item.account_code,
        'payroll_payable' as counter_account_role,
        account.payable_account_code as counter_account_code,
        sum(item.amount) as amount
    from item
    cross join account
    group by
        item.payment_period, item.country_code, item.currency_code, item.cost_centre_code, item.earned_quarter,
        item.account_code, account.payable_account_code

    union all

    select
        'reversal' as voucher_kind,
        item.payment_period,
        item.country_code,
        item.payment_period as fiscal_period,
        item.currency_code,
        item.cost_centre_code,
        item.earned_quarter,
        'incentive_accrual' as account_role,
        account.accrual_account_code as account_code,
        'incentive_accrual_expense' as counter_account_role,
        account.accrual_expense_account_code as counter_account_code,
        sum(item.amount) as amount
    from item
    cross join account
    where item.is_accrued_here
    group by
        item.payment_period, item.country_code, item.currency_code, item.cost_centre_code, item.earned_quarter,
        account.accrual_account_code, account.accrual_expense_account_code
),

placed as (
    select
        movement.*,
        movement.voucher_kind = 'accrual'
        and outside_quarter.earned_quarter is not null
        and accrued_here.earned_quarter is null as is_outside
    from movement
    left join outside_quarter on movement.earned_quarter = outside_quarter.earned_quarter
    left join accrued_here
        on
            movement.earned_quarter = accrued_here.earned_quarter
            and movement.currency_code = accrued_here.currency_code
            and coalesce(movement.country_code, '') = accrued_here.country_code
    where movement.amount <> 0
),

vouched as (
    select
        placed.*,
        case placed.voucher_kind when 'accrual' then 'ACC' when 'payment' then 'PAY' else 'REV' end
        || '-' || placed.fiscal_period || '-' || coalesce(nullif(placed.country_code, ''), 'none')
        || '-' || placed.currency_code
        || case
            when placed.is_outside then '-outside'
            when export_state.export_number is null then '-open'
            else '-' || placed.payment_period || '-' || cast(export_state.export_number as varchar)
        end as voucher_code,
        export_state.export_number,
        case
            when placed.is_outside then 'paid_outside'
            when export_state.is_approved then 'ready'
            else 'blocked'
        end as journal_status,
        case
            when placed.is_outside or export_state.is_approved then cast(null as varchar)
            when placed.country_code = '' then 'country_unknown'
            when export_state.export_number is null then 'nothing_to_pay_yet'
            else 'approval_missing (' || export_state.unmet_demands || ')'
        end as refusal_reasons
    from placed
    left join export_state
        on placed.payment_period = export_state.payment_period and placed.country_code = export_state.country_code
),

side as (
    select 1 as side_number
    union all
    select 2 as side_number
),

two_sided as (
    select
        vouched.*,
        side.side_number,
        case side.side_number when 1 then vouched.account_role else vouched.counter_account_role end
            as line_account_role,
        case side.side_number when 1 then vouched.account_code else vouched.counter_account_code end
            as line_account_code,
        case when (vouched.amount > 0) = (side.side_number = 1) then 'debit' else 'credit' end as side
    from vouched
    cross join side
),

new_line as (
    select
        voucher_code,
        row_number() over (
            partition by voucher_code
            order by earned_quarter, cost_centre_code, account_code, counter_account_code, side_number
        ) as line_number,
        voucher_kind,
        payment_period,
        country_code,
        export_number,
        fiscal_period,
        currency_code,
        line_account_role as account_role,
        line_account_code as account_code,
        cost_centre_code,
        earned_quarter,
        side,
        abs(amount) as amount,
        journal_status,
        refusal_reasons
    from two_sided

    union all

    select
        voucher_code,
        line_number,
        voucher_kind,
        payment_period,
        country_code,
        export_number,
        fiscal_period,
        currency_code,
        account_role,
        account_code,
        cost_centre_code,
        earned_quarter,
        side,
        amount,
        'exported' as journal_status,
        cast(null as varchar) as refusal_reasons
    from exported_line
),

final as (
    select
        cast({{ md5_of(['voucher_code', 'line_number', "coalesce(payment_period, '')"]) }} as varchar)
            as journal_line_key,
        cast(voucher_code as varchar) as voucher_code,
        cast(line_number as integer) as line_number,
        cast(voucher_kind as varchar) as voucher_kind,
        cast(payment_period as varchar) as payment_period,
        cast(nullif(country_code, '') as varchar) as country_code,
        cast(export_number as integer) as export_number,
        cast(fiscal_period as varchar) as fiscal_period,
        cast(currency_code as varchar) as currency_code,
        cast(account_role as varchar) as account_role,
        cast(account_code as varchar) as account_code,
        cast(cost_centre_code as varchar) as cost_centre_code,
        cast(earned_quarter as varchar) as earned_quarter,
        cast(side as varchar) as side,
        cast(amount as decimal(18, 2)) as amount,
        cast(
            case voucher_kind when 'payment' then 'INC-' else 'ACC-' end || earned_quarter as varchar
        ) as reference,
        cast(journal_status as varchar) as journal_status,
        cast(refusal_reasons as varchar) as refusal_reasons
    from new_line
)

select * from final
