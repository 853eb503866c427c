-- Calculated payouts against the general ledger's incentive expense (debit - credit): earned quarter x cost
-- centre x currency, full outer. difference_amount = gl_amount - payout_amount on every row.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

pay_source as (
    select * from {{ ref('int_pay_source') }}
),

landed_pay_month as (
    select * from {{ ref('int_landed_pay_month') }}
    where source_name = 'ledger'
),

incentive_period as (
    select * from {{ ref('int_incentive_period') }}
),

gl_account as (
    select * from {{ ref('gl_account') }}
    where account_role = 'incentive_expense'
),

journal_line as (
    select * from {{ ref('stg_ledger__journal_lines') }}
),

fct_incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

run_state as (
    {{ pay_run_state('run_context', 'pay_source', 'ledger') }}
),

quarter_payment as (
    select
        earned_quarter,
        min(payment_period) as payment_period
    from incentive_period
    group by earned_quarter
),

payout as (
    select
        earned_quarter,
        cost_centre_code,
        currency_code,
        sum(payout_amount) as payout_amount
    from fct_incentive_payout
    group by earned_quarter, cost_centre_code, currency_code
),

-- the reference INC-2025-Q1 says which quarter an expense belongs to
expense_line as (
    select
        journal_line.voucher_number,
        journal_line.fiscal_period,
        journal_line.posted_on,
        case when journal_line.reference like 'INC-____-Q_' then substr(journal_line.reference, 5) else '' end
            as earned_quarter,
        coalesce(journal_line.cost_centre_code, '') as cost_centre_code,
        coalesce(journal_line.currency_code, '') as currency_code,
        coalesce(journal_line.debit_amount, 0) - coalesce(journal_line.credit_amount, 0) as amount
    from journal_line
    inner join gl_account on journal_line.account_code = gl_account.account_code
),

voucher as (
    select
        expense_line.earned_quarter,
        expense_line.cost_centre_code,
        expense_line.currency_code,
        expense_line.voucher_number,
        expense_line.fiscal_period,
        min(expense_line.posted_on) as posted_on,
        sum(expense_line.amount) as amount
    from expense_line
    group by
        expense_line.earned_quarter,
        expense_line.cost_centre_code,
        expense_line.currency_code,
        expense_line.voucher_number,
        expense_line.fiscal_period
),

-- a posting that was reversed within its own period leaves nothing in it
posted_period as (
    select
        earned_quarter,
        cost_centre_code,
        currency_code,
        fiscal_period,
        sum(amount) as amount
    from voucher
    group by earned_quarter, cost_centre_code, currency_code, fiscal_period
),

off_period as (
    select
        posted_period.earned_quarter,
        posted_period.cost_centre_code,
        posted_period.currency_code,
        {{ string_list('posted_period.fiscal_period', 'posted_period.fiscal_period') }} as off_periods
    from posted_period
    left join quarter_payment on posted_period.earned_quarter = quarter_payment.earned_quarter
    where
        posted_period.amount <> 0
        and (posted_period.fiscal_period is distinct from quarter_payment.payment_period)
    group by posted_period.earned_quarter, posted_period.cost_centre_code, posted_period.currency_code
),

ledger as (
    select
        voucher.earned_quarter,
        voucher.cost_centre_code,
        voucher.currency_code,
        sum(voucher.amount) as gl_amount,
        count(*) as voucher_count,
        count(*) filter (where voucher.amount = payout.payout_amount) as full_amount_voucher_count,
        min(voucher.posted_on) as first_posted_on,
        {{ string_list('voucher.fiscal_period', 'voucher.fiscal_period, voucher.voucher_number') }}
            as fiscal_periods,
        {{ string_list('voucher.voucher_number', 'voucher.fiscal_period, voucher.voucher_number') }}
            as voucher_numbers
    from voucher
    left join payout
        on
            voucher.earned_quarter = payout.earned_quarter
            and voucher.cost_centre_code = payout.cost_centre_code
            and voucher.currency_code = payout.currency_code
    group by voucher.earned_quarter, voucher.cost_centre_code, voucher.currency_code
),

joined as (
    select
        ledger.first_posted_on,
        ledger.fiscal_periods,
        ledger.voucher_numbers,
        coalesce(payout.earned_quarter, ledger.earned_quarter) as earned_quarter,
        coalesce(payout.cost_centre_code, ledger.cost_centre_code) as cost_centre_code,
        coalesce(payout.currency_code, ledger.currency_code) as currency_code,
        coalesce(payout.payout_amount, 0) as payout_amount,
        coalesce(ledger.gl_amount, 0) as gl_amount,
        coalesce(ledger.voucher_count, 0) as voucher_count,
        coalesce(ledger.full_amount_voucher_count, 0) as full_amount_voucher_count,
        payout.earned_quarter is not null as is_calculated,
        coalesce(payout.payout_amount, 0) <> 0 as has_payout,
        ledger.earned_quarter is not null as has_ledger
    from payout
    full outer join ledger
        on
            payout.earned_quarter = ledger.earned_quarter
            and payout.cost_centre_code = ledger.cost_centre_code
            and payout.currency_code = ledger.currency_code
    where ledger.earned_quarter is not null or payout.payout_amount <> 0
),

judged as (
    select
        joined.*,
        off_period.off_periods,
        quarter_payment.payment_period,
        run_state.as_of_at,
        run_state.is_ledger_absent,
        run_state.ledger_status_reason,
        run_state.is_hris_absent,
        run_state.hris_status_reason,
        sum(case when joined.has_payout and not joined.has_ledger then 1 else 0 end) over (
            partition by joined.earned_quarter, joined.cost_centre_code
        ) as unposted_currency_count,
        sum(
            case when joined.has_ledger and not joined.has_payout and joined.gl_amount <> 0 then 1 else 0 end
        ) over (
            partition by joined.earned_quarter, joined.cost_centre_code
        ) as uncalculated_currency_count,
        landed_pay_month.month_code is not null as is_month_landed,
        run_state.as_of_at >= cast(
            {{ add_months(month_code_start('quarter_payment.payment_period'), 1) }} as timestamp
        ) as is_month_over,
        {{ add_months(month_code_start('quarter_payment.payment_period'), 1) }} as overdue_from_on
    from joined
    cross join run_state
    left join off_period
        on
            joined.earned_quarter = off_period.earned_quarter
            and joined.cost_centre_code = off_period.cost_centre_code
            and joined.currency_code = off_period.currency_code
    left join quarter_payment on joined.earned_quarter = quarter_payment.earned_quarter
    left join landed_pay_month on quarter_payment.payment_period = landed_pay_month.month_code
),

classified as (
    select
        *,
        case
            when not has_ledger and uncalculated_currency_count > 0 then 'wrong_currency'
            when not has_ledger and is_month_landed and is_month_over then 'missing_right'
            when not has_ledger and is_ledger_absent then 'source_absent'
            when not has_ledger then 'timing'
            when not has_payout and gl_amount = 0 then 'matched'
            when not has_payout and unposted_currency_count > 0 then 'wrong_currency'
            when not has_payout and is_hris_absent then 'source_absent'
            when not has_payout then 'missing_left'
            when gl_amount <> payout_amount and full_amount_voucher_count > 1 then 'duplicate'
            when off_periods is not null then 'wrong_period'
            when gl_amount <> payout_amount then 'amount_differs'
            else 'matched'
        end as status
    from judged
),

explained as (
    select
        *,
        'calculated ' || cast(cast(payout_amount as decimal(18, 2)) as varchar) || ' ' || currency_code
            as calculated_text,
        'ledger ' || cast(cast(gl_amount as decimal(18, 2)) as varchar) || ' ' || currency_code
        || coalesce(' in fiscal period ' || fiscal_periods, '')
        || coalesce(' (voucher ' || voucher_numbers || ')', '')
            as ledger_text,
        case
            when not has_ledger then overdue_from_on
            when status <> 'matched' then coalesce(first_posted_on, overdue_from_on)
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
        cast(payout_amount as decimal(18, 2)) as payout_amount,
        cast(gl_amount as decimal(18, 2)) as gl_amount,
        cast(gl_amount - payout_amount as decimal(18, 2)) as difference_amount,
        cast(status as varchar) as status,
        cast(
            case
                when since_on is null then 0
                else greatest(0, {{ day_count('since_on', 'as_of_at') }})
            end as integer
        ) as age_days,
        cast(
            case status
                when 'matched' then 'Agrees: ' || calculated_text || ', ' || ledger_text || '.'
                when 'amount_differs'
                    then
                        'Ledger shows '
                        || cast(cast(abs(gl_amount - payout_amount) as decimal(18, 2)) as varchar)
                        || ' ' || currency_code
                        || case when gl_amount > payout_amount then ' too much: ' else ' too little: ' end
                        || calculated_text || ', ' || ledger_text || '.'
                when 'missing_right'
                    then
                        'Not posted: ' || calculated_text || '; the journal of ' || payment_period
                        || ' is landed and holds no incentive expense for this quarter and cost centre.'
                when 'missing_left'
                    then
                        'Posted without a calculation: ' || ledger_text
                        || case
                            when is_calculated then '; the calculation of this cost centre came to 0.00.'
                            when earned_quarter = '' then '; the reference names no quarter (INC-YYYY-Qn).'
                            when payment_period is null
                                then '; no plan pays for this quarter, or it has not begun.'
                            else '; nothing was calculated for this quarter and cost centre.'
                        end
                when 'timing'
                    then
                        'Not due yet or not told yet: ' || calculated_text
                        || case
                            when is_month_over
                                then '; the journal of ' || payment_period || ' has not been landed.'
                            else '; fiscal period ' || payment_period || ' is not over.'
                        end
                when 'duplicate'
                    then
                        'The whole amount was posted more than once: '
                        || calculated_text || ', ' || ledger_text || '.'
                when 'wrong_period'
                    then
                        'Posted to fiscal period ' || off_periods || ' instead of ' || payment_period || ': '
                        || calculated_text || ', ' || ledger_text || '.'
                when 'wrong_currency'
                    then
                        'Posted in another currency than calculated: here ' || calculated_text
                        || ', ' || ledger_text
                        || '; the other side stands in a row of its own currency.'
                when 'source_absent' then
                    'Nothing to compare with: '
                    || case
                        when has_ledger then ledger_text || '; HRIS is absent: ' || hris_status_reason
                        else calculated_text || '; the ledger is absent: ' || ledger_status_reason
                    end
            end as varchar
        ) as explanation,
        cast(voucher_count as bigint) as voucher_count,
        cast(fiscal_periods as varchar) as fiscal_periods,
        cast(voucher_numbers as varchar) as voucher_numbers
    from explained
)

select * from final
