-- What payroll is handed, line by line: what was exported, what is ready to be, and what is not and why.
with item as (
    select * from {{ ref('fct_payroll_export_item') }}
),

export_readiness as (
    select * from {{ ref('rpt_payroll_export_readiness') }}
),

approval_state as (
    select
        payment_period,
        country_code,
        bool_and(is_met) as is_approved,
        {{ string_list('case when not is_met then demand_code end', 'demand_code') }} as unmet_demands
    from export_readiness
    group by payment_period, country_code
),

line as (
    select
        payment_period,
        coalesce(country_code, '') as country_code,
        employee_number,
        currency_code,
        earning_kind,
        coalesce(export_number, 0) as export_number,
        max(pay_code) as pay_code,
        max(item_status) as item_status,
        max(refusal_reasons) as refusal_reasons,
        count(*) as ledger_line_count,
        sum(amount) as amount
    from item
    group by
        payment_period, coalesce(country_code, ''), employee_number, currency_code, earning_kind,
        coalesce(export_number, 0)
),

judged as (
    select
        line.*,
        case
            when line.item_status in ('exported', 'paid_outside') then line.item_status
            when line.item_status = 'payable' and approval_state.is_approved then 'ready'
            else 'blocked'
        end as line_status,
        case
            when line.item_status = 'exported' or (line.item_status = 'payable' and approval_state.is_approved)
                then cast(null as varchar)
            when line.item_status = 'payable' and approval_state.payment_period is null then 'nothing_to_pay'
            when line.item_status = 'payable' then 'approval_missing (' || approval_state.unmet_demands || ')'
            else line.refusal_reasons
        end as reasons
    from line
    left join approval_state
        on line.payment_period = approval_state.payment_period and line.country_code = approval_state.country_code
),

final as (
    select
        cast(
            {{ md5_of([
                'payment_period', 'country_code', 'employee_number', 'currency_code', 'earning_kind', 'export_number'
            ]) }} as varchar
        ) as payroll_export_line_key,
        cast(payment_period as varchar) as payment_period,
        cast(country_code as varchar) as country_code,
        cast(export_number as integer) as export_number,
        cast(employee_number as varchar) as employee_number,
        cast(currency_code as varchar) as currency_code,
        cast(earning_kind as varchar) as earning_kind,
        cast(pay_code as varchar) as pay_code,
        cast(amount as decimal(18, 2)) as amount,
        cast(ledger_line_count as bigint) as ledger_line_count,
        cast(line_status as varchar) as line_status,
        cast(reasons as varchar) as refusal_reasons
    from judged
)

select * from final
