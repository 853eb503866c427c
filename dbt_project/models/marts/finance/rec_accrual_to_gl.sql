-- The schedule of accruals against the ledger's accrual accounts (credit - debit): month x earned quarter x cost centre
-- x currency, full outer. difference_amount = gl_amount - accrual_amount on every row.
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

gl_account as (
    select * from {{ ref('gl_account') }}
    where account_role = 'incentive_accrual'
),

journal_line as (
    select * from {{ ref('stg_ledger__journal_lines') }}
),

fct_accrual as (
    select * from {{ ref('fct_accrual') }}
),

run_state as (
    {{ pay_run_state('run_context', 'pay_source', 'ledger') }}
),

scheduled as (
    select
        accrual_month,
        earned_quarter,
        cost_centre_code,
        currency_code,
        sum(accrual_amount) as accrual_amount,
        {{ string_list(
            "accrual_kind || ' ' || cast(accrual_amount as varchar)", 'accrual_kind'
        ) }} as accrual_text
    from fct_accrual
    group by accrual_month, earned_quarter, cost_centre_code, currency_code
),

-- the reference ACC-2025-Q1 says which quarter an accrual belongs to
voucher as (
    select
        coalesce(journal_line.fiscal_period, '') as accrual_month,
        case when journal_line.reference like 'ACC-____-Q_' then substr(journal_line.reference, 5) else '' end
            as earned_quarter,
        coalesce(journal_line.cost_centre_code, '') as cost_centre_code,
        coalesce(journal_line.currency_code, '') as currency_code,
        journal_line.voucher_number,
        min(journal_line.posted_on) as posted_on,
        sum(coalesce(journal_line.credit_amount, 0) - coalesce(journal_line.debit_amount, 0)) as amount
    from journal_line
    inner join gl_account on journal_line.account_code = gl_account.account_code
    group by
        journal_line.fiscal_period,
        journal_line.reference,
        journal_line.cost_centre_code,
        journal_line.currency_code,
        journal_line.voucher_number
),

ledger as (
    select
        voucher.accrual_month,
        voucher.earned_quarter,
        voucher.cost_centre_code,
        voucher.currency_code,
        sum(voucher.amount) as gl_amount,
        count(distinct voucher.voucher_number) as voucher_count,
        count(*) filter (where voucher.amount = scheduled.accrual_amount) as full_amount_voucher_count,
        min(voucher.posted_on) as first_posted_on,
        {{ string_list('voucher.voucher_number', 'voucher.voucher_number') }} as voucher_numbers
    from voucher
    left join scheduled
        on
            voucher.accrual_month = scheduled.accrual_month
            and voucher.earned_quarter = scheduled.earned_quarter
            and voucher.cost_centre_code = scheduled.cost_centre_code
            and voucher.currency_code = scheduled.currency_code
    group by voucher.accrual_month, voucher.earned_quarter, voucher.cost_centre_code, voucher.currency_code
),

joined as (
    select
        scheduled.accrual_text,
        ledger.first_posted_on,
        ledger.voucher_numbers,
        coalesce(scheduled.accrual_month, ledger.accrual_month) as accrual_month,
        coalesce(scheduled.earned_quarter, ledger.earned_quarter) as earned_quarter,
        coalesce(scheduled.cost_centre_code, ledger.cost_centre_code) as cost_centre_code,
        coalesce(scheduled.currency_code, ledger.currency_code) as currency_code,
        coalesce(scheduled.accrual_amount, 0) as accrual_amount,
        coalesce(ledger.gl_amount, 0) as gl_amount,
        coalesce(ledger.voucher_count, 0) as voucher_count,
        coalesce(ledger.full_amount_voucher_count, 0) as full_amount_voucher_count,
        coalesce(scheduled.accrual_amount, 0) <> 0 as has_accrual,
        ledger.accrual_month is not null as has_ledger
    from scheduled
    full outer join ledger
        on
            scheduled.accrual_month = ledger.accrual_month
            and scheduled.earned_quarter = ledger.earned_quarter
            and scheduled.cost_centre_code = ledger.cost_centre_code
            and scheduled.currency_code = ledger.currency_code
    where ledger.accrual_month is not null or scheduled.accrual_amount <> 0
),

judged as (
    select
        joined.*,
        joined.gl_amount - joined.accrual_amount as difference_amount,
        run_state.as_of_at,
        run_state.is_ledger_absent,
        run_state.ledger_status_reason,
        run_state.is_hris_absent,
        run_state.hris_status_reason,
        sum(case when joined.has_accrual and not joined.has_ledger then 1 else 0 end) over (
            partition by joined.accrual_month, joined.earned_quarter, joined.cost_centre_code
        ) as unposted_currency_count,
        sum(
            case when joined.has_ledger and not joined.has_accrual and joined.gl_amount <> 0 then 1 else 0 end
        ) over (
            partition by joined.accrual_month, joined.earned_quarter, joined.cost_centre_code
        ) as unscheduled_currency_count,
        landed_pay_month.month_code is not null as is_month_landed,
        coalesce(
            run_state.as_of_at
            >= cast({{ add_months(month_code_start('joined.accrual_month'), 1) }} as timestamp),
            false
        ) as is_month_over,
        {{ add_months(month_code_start('joined.accrual_month'), 1) }} as overdue_from_on
    from joined
    cross join run_state
    left join landed_pay_month on joined.accrual_month = landed_pay_month.month_code
),

-- what one month lacks and another of the same quarter has too much was posted to the wrong one
moved as (
    select
        here.accrual_month,
        here.earned_quarter,
        here.cost_centre_code,
        here.currency_code,
        min(elsewhere.accrual_month) as other_month
    from judged as here
    inner join judged as elsewhere
        on
            here.earned_quarter = elsewhere.earned_quarter
            and here.cost_centre_code = elsewhere.cost_centre_code
            and here.currency_code = elsewhere.currency_code
            and here.accrual_month <> elsewhere.accrual_month
            and here.difference_amount = -elsewhere.difference_amount
    where
        here.difference_amount <> 0
        and here.is_month_landed
        and here.is_month_over
        and elsewhere.is_month_landed
        and elsewhere.is_month_over
        and here.earned_quarter <> ''
    group by here.accrual_month, here.earned_quarter, here.cost_centre_code, here.currency_code
    having count(*) = 1
),

classified as (
    select
        judged.*,
        moved.other_month,
        case
            when judged.difference_amount = 0 then 'matched'
            when not judged.has_ledger and judged.unscheduled_currency_count > 0 then 'wrong_currency'
            when not judged.has_ledger and judged.is_ledger_absent then 'source_absent'
            when judged.has_accrual and not (judged.is_month_landed and judged.is_month_over) then 'timing'
            when not judged.has_accrual and judged.unposted_currency_count > 0 then 'wrong_currency'
            when not judged.has_accrual and judged.is_hris_absent then 'source_absent'
            when moved.other_month is not null then 'wrong_period'
            when not judged.has_ledger then 'missing_right'
            when not judged.has_accrual then 'missing_left'
            when judged.full_amount_voucher_count > 1 then 'duplicate'
            else 'amount_differs'
        end as status
    from judged
    left join moved
        on
            judged.accrual_month = moved.accrual_month
            and judged.earned_quarter = moved.earned_quarter
            and judged.cost_centre_code = moved.cost_centre_code
            and judged.currency_code = moved.currency_code
),

explained as (
    select
        *,
        'schedule ' || cast(cast(accrual_amount as decimal(18, 2)) as varchar) || ' ' || currency_code
        || coalesce(' (' || accrual_text || ')', '') as schedule_text,
        'ledger ' || cast(cast(gl_amount as decimal(18, 2)) as varchar) || ' ' || currency_code
        || coalesce(' (voucher ' || voucher_numbers || ')', '') as ledger_text,
        case
            when status = 'matched' then cast(null as date)
            when not has_ledger then overdue_from_on
            else coalesce(first_posted_on, overdue_from_on)
        end as since_on
    from classified
),

final as (
    select
        cast(
            {{ md5_of(['accrual_month', 'earned_quarter', 'cost_centre_code', 'currency_code']) }} as varchar
        ) as rec_key,
        cast(nullif(accrual_month, '') as varchar) as accrual_month,
        cast(nullif(earned_quarter, '') as varchar) as earned_quarter,
        cast(nullif(cost_centre_code, '') as varchar) as cost_centre_code,
        cast(nullif(currency_code, '') as varchar) as currency_code,
        cast(accrual_amount as decimal(18, 2)) as accrual_amount,
        cast(gl_amount as decimal(18, 2)) as gl_amount,
        cast(difference_amount as decimal(18, 2)) as difference_amount,
        cast(status as varchar) as status,
        cast(
            case
                when since_on is null then 0
                else greatest(0, {{ day_count('since_on', 'as_of_at') }})
            end as integer
        ) as age_days,
        cast(
            case status
                when 'matched' then 'Agrees: ' || schedule_text || ', ' || ledger_text || '.'
                when 'amount_differs'
                    then
                        'Ledger accrues ' || cast(cast(abs(difference_amount) as decimal(18, 2)) as varchar)
                        || ' ' || currency_code
                        || case when difference_amount > 0 then ' too much: ' else ' too little: ' end
                        || schedule_text || ', ' || ledger_text || '.'
                when 'missing_right'
                    then
                        'Not posted: ' || schedule_text || '; the journal of ' || accrual_month
                        || ' is landed and holds no accrual for this quarter and cost centre.'
                when 'missing_left'
                    then
                        'Accrued without a schedule: ' || ledger_text
                        || case
                            when earned_quarter = '' then '; the reference names no quarter (ACC-YYYY-Qn).'
                            else '; nothing is due in this month for this quarter and cost centre.'
                        end
                when 'timing'
                    then
                        'Not due yet or not told yet: ' || schedule_text || ', ' || ledger_text
                        || case
                            when is_month_over then '; the journal of ' || accrual_month || ' has not been landed.'
                            else '; fiscal period ' || accrual_month || ' is not over.'
                        end
                when 'duplicate'
                    then
                        'The whole amount was accrued more than once: '
                        || schedule_text || ', ' || ledger_text || '.'
                when 'wrong_period'
                    then
                        case when difference_amount < 0 then 'Posted to ' else 'Belongs to ' end
                        || 'fiscal period ' || other_month || ' instead: '
                        || schedule_text || ', ' || ledger_text || '.'
                when 'wrong_currency'
                    then
                        'Accrued in another currency than scheduled: here ' || schedule_text
                        || ', ' || ledger_text
                        || '; the other side stands in a row of its own currency.'
                when 'source_absent' then
                    'Nothing to compare with: '
                    || case
                        when has_ledger then ledger_text || '; HRIS is absent: ' || hris_status_reason
                        else schedule_text || '; the ledger is absent: ' || ledger_status_reason
                    end
            end as varchar
        ) as explanation,
        cast(voucher_count as bigint) as voucher_count,
        cast(voucher_numbers as varchar) as voucher_numbers
    from explained
)

select * from final
