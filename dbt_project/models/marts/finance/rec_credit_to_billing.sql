-- Service credits that are owed, to us by suppliers and by us to customers, against billing's credit notes: direction x
-- contract x SLA period x currency, full outer. difference_amount = billed_amount - owed_amount on every row.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

supplier_contract as (
    select * from {{ ref('supplier_contract') }}
),

contract as (
    select * from {{ ref('contract') }}
),

penalty_share as (
    select * from {{ ref('penalty_share') }}
),

fct_service_credit as (
    select * from {{ ref('fct_service_credit') }}
),

credit_note as (
    select * from {{ ref('stg_billing__credit_notes') }}
),

invoice as (
    select * from {{ ref('stg_billing__invoices') }}
),

-- billing tells nothing of what ended before the first period it bills
first_billed as (
    select min(period_start_on) as first_billed_on
    from invoice
),

owed_to_us as (
    select
        'owed_to_us' as direction,
        fct_service_credit.supplier_contract_code as contract_code,
        fct_service_credit.period_start_on,
        fct_service_credit.period_end_on,
        fct_service_credit.currency_code,
        fct_service_credit.credit_amount as owed_amount,
        fct_service_credit.credit_status = 'ok' as is_final,
        {{ add_months('fct_service_credit.period_end_on', 'supplier_contract.credit_settlement_lag_months') }}
            as overdue_from_on
    from fct_service_credit
    inner join supplier_contract
        on fct_service_credit.supplier_contract_code = supplier_contract.supplier_contract_code
),

-- a penalty is settled in the month after it was decided
owed_by_us as (
    select
        'owed_by_us' as direction,
        contract_code,
        period_month as period_start_on,
        {{ add_months('period_month', 1) }} as period_end_on,
        currency_code,
        sum(penalty_amount) as owed_amount,
        true as is_final,
        {{ add_months(month_start('max(decided_on)'), 2) }} as overdue_from_on
    from penalty_share
    group by contract_code, period_month, currency_code
),

all_owed as (
    select * from owed_to_us

    union all

    select * from owed_by_us
),

owed as (
    select * from all_owed
    where is_final and owed_amount <> 0
),

note as (
    select
        case when contract.contract_code is null then 'owed_to_us' else 'owed_by_us' end as direction,
        coalesce(credit_note.supplier_contract_code, '') as contract_code,
        credit_note.period_start_on,
        coalesce(credit_note.currency_code, '') as currency_code,
        credit_note.credit_note_number,
        credit_note.issued_on,
        coalesce(credit_note.credit_amount, 0) as credit_amount
    from credit_note
    left join contract on credit_note.supplier_contract_code = contract.contract_code
    where credit_note.credit_kind = 'service_credit'
),

billed as (
    select
        note.direction,
        note.contract_code,
        note.period_start_on,
        note.currency_code,
        sum(note.credit_amount) as billed_amount,
        count(*) as note_count,
        count(*) filter (where note.credit_amount = owed.owed_amount) as full_amount_note_count,
        min(note.issued_on) as first_issued_on,
        {{ string_list('note.credit_note_number', 'note.credit_note_number') }} as credit_note_numbers
    from note
    left join owed
        on
            note.direction = owed.direction
            and note.contract_code = owed.contract_code
            and note.period_start_on = owed.period_start_on
            and note.currency_code = owed.currency_code
    group by note.direction, note.contract_code, note.period_start_on, note.currency_code
),

-- customers' credit notes are told only by a billing that has ever held one
told as (
    select count(*) filter (where direction = 'owed_by_us') as customer_note_count
    from note
),

joined as (
    select
        owed.period_end_on,
        owed.overdue_from_on,
        billed.first_issued_on,
        billed.credit_note_numbers,
        coalesce(owed.direction, billed.direction) as direction,
        coalesce(owed.contract_code, billed.contract_code) as contract_code,
        coalesce(owed.period_start_on, billed.period_start_on) as period_start_on,
        coalesce(owed.currency_code, billed.currency_code) as currency_code,
        coalesce(owed.owed_amount, 0) as owed_amount,
        coalesce(billed.billed_amount, 0) as billed_amount,
        coalesce(billed.note_count, 0) as note_count,
        coalesce(billed.full_amount_note_count, 0) as full_amount_note_count,
        owed.contract_code is not null as is_owed,
        billed.contract_code is not null as is_billed
    from owed
    full outer join billed
        on
            owed.direction = billed.direction
            and owed.contract_code = billed.contract_code
            and owed.period_start_on = billed.period_start_on
            and owed.currency_code = billed.currency_code
),

judged as (
    select
        joined.*,
        joined.billed_amount - joined.owed_amount as difference_amount,
        supplier_contract.vendor_code,
        run_context.as_of_at,
        first_billed.first_billed_on,
        -- a period that is still running may turn out to be owed what was granted early
        coalesce(not all_owed.is_final, false) as is_provisional,
        case
            when first_billed.first_billed_on is null then 'no invoice or credit note has been landed'
            when joined.direction = 'owed_by_us' and told.customer_note_count = 0
                then 'billing holds no credit note to a customer'
            when joined.period_end_on <= first_billed.first_billed_on
                then 'billing begins with ' || cast(first_billed.first_billed_on as varchar)
        end as absence_reason,
        coalesce(run_context.as_of_at >= cast(joined.overdue_from_on as timestamp), false) as is_due,
        sum(case when joined.is_owed and not joined.is_billed then 1 else 0 end) over (
            partition by joined.direction, joined.contract_code, joined.period_start_on
        ) as unbilled_currency_count,
        sum(case when joined.is_billed and not joined.is_owed then 1 else 0 end) over (
            partition by joined.direction, joined.contract_code, joined.period_start_on
        ) as unowed_currency_count
    from joined
    cross join run_context
    cross join first_billed
    cross join told
    left join supplier_contract on joined.contract_code = supplier_contract.supplier_contract_code
    left join all_owed
        on
            joined.direction = all_owed.direction
            and joined.contract_code = all_owed.contract_code
            and joined.period_start_on = all_owed.period_start_on
            and joined.currency_code = all_owed.currency_code
),

-- one side alone, and not because the other one is in another currency
one_sided as (
    select * from judged
    where
        is_owed <> is_billed
        and (is_billed or is_due)
        and absence_reason is null
        and not (is_owed and unowed_currency_count > 0)
        and not (is_billed and unbilled_currency_count > 0)
),

-- the same amount owed for one period and granted for another one of the contract
moved as (
    select
        here.direction,
        here.contract_code,
        here.period_start_on,
        here.currency_code,
        min(elsewhere.period_start_on) as other_period_on
    from one_sided as here
    inner join one_sided as elsewhere
        on
            here.direction = elsewhere.direction
            and here.contract_code = elsewhere.contract_code
            and here.currency_code = elsewhere.currency_code
            and here.period_start_on <> elsewhere.period_start_on
            and here.difference_amount = -elsewhere.difference_amount
            and here.is_owed <> elsewhere.is_owed
    group by here.direction, here.contract_code, here.period_start_on, here.currency_code
    having count(*) = 1
),

classified as (
    select
        judged.*,
        moved.other_period_on,
        case
            when judged.difference_amount = 0 then 'matched'
            when not judged.is_billed and judged.absence_reason is not null then 'source_absent'
            when not judged.is_billed and judged.unowed_currency_count > 0 then 'wrong_currency'
            when not judged.is_owed and judged.unbilled_currency_count > 0 then 'wrong_currency'
            -- each of the two rows has this one partner, and the partner no other
            when moved.other_period_on is not null and counterpart.other_period_on = judged.period_start_on
                then 'wrong_period'
            when not judged.is_owed and judged.is_provisional then 'timing'
            when not judged.is_billed and not judged.is_due then 'timing'
            when not judged.is_billed then 'missing_right'
            when not judged.is_owed then 'missing_left'
            when judged.full_amount_note_count > 1 then 'duplicate'
            else 'amount_differs'
        end as status
    from judged
    left join moved
        on
            judged.direction = moved.direction
            and judged.contract_code = moved.contract_code
            and judged.period_start_on = moved.period_start_on
            and judged.currency_code = moved.currency_code
    left join moved as counterpart
        on
            moved.direction = counterpart.direction
            and moved.contract_code = counterpart.contract_code
            and moved.other_period_on = counterpart.period_start_on
            and moved.currency_code = counterpart.currency_code
),

explained as (
    select
        *,
        'owed ' || cast(cast(owed_amount as decimal(18, 2)) as varchar) || ' ' || currency_code as owed_text,
        'granted ' || cast(cast(billed_amount as decimal(18, 2)) as varchar) || ' ' || currency_code
        || coalesce(' (credit note ' || credit_note_numbers || ')', '') as billed_text,
        case
            when status = 'matched' then cast(null as date)
            when is_billed then first_issued_on
            else overdue_from_on
        end as since_on
    from classified
),

final as (
    select
        cast(
            {{ md5_of(['direction', 'contract_code', 'period_start_on', 'currency_code']) }} as varchar
        ) as rec_key,
        cast(direction as varchar) as direction,
        cast(nullif(contract_code, '') as varchar) as contract_code,
        cast(vendor_code as varchar) as vendor_code,
        cast(period_start_on as date) as period_start_on,
        cast(nullif(currency_code, '') as varchar) as currency_code,
        cast(overdue_from_on as date) as overdue_from_on,
        cast(owed_amount as decimal(18, 2)) as owed_amount,
        cast(billed_amount as decimal(18, 2)) as billed_amount,
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
                when 'matched' then 'Agrees: ' || owed_text || ', ' || billed_text || '.'
                when 'amount_differs'
                    then
                        cast(cast(abs(difference_amount) as decimal(18, 2)) as varchar) || ' ' || currency_code
                        || case when difference_amount > 0 then ' too much' else ' too little' end
                        || ' granted: ' || owed_text || ', ' || billed_text || '.'
                when 'missing_right'
                    then 'Owed and not granted: ' || owed_text || ', to be settled before '
                        || cast(overdue_from_on as varchar) || '.'
                when 'missing_left'
                    then 'Granted and not owed: ' || billed_text || '; no credit was earned for this period.'
                when 'timing'
                    then
                        'Not due yet: ' || owed_text || ', ' || billed_text
                        || case
                            when is_owed then ', to be settled before ' || cast(overdue_from_on as varchar)
                            else '; the period is not over'
                        end || '.'
                when 'duplicate'
                    then 'Granted more than once: ' || owed_text || ', ' || billed_text || '.'
                when 'wrong_period'
                    then
                        case when is_owed then 'Granted for' else 'Owed for' end || ' the period from '
                        || cast(other_period_on as varchar) || ' instead: ' || owed_text || ', ' || billed_text || '.'
                when 'wrong_currency'
                    then
                        'Granted in another currency than owed: here ' || owed_text || ', ' || billed_text
                        || '; the other side stands in a row of its own currency.'
                when 'source_absent'
                    then 'Nothing to compare with: ' || owed_text || '; ' || absence_reason || '.'
            end as varchar
        ) as explanation,
        cast(note_count as bigint) as note_count,
        cast(credit_note_numbers as varchar) as credit_note_numbers
    from explained
)

select * from final
