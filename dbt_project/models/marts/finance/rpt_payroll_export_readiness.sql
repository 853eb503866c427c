-- What the next export of each payment month and country demands, and what is missing.
with item as (
    select * from {{ ref('fct_payroll_export_item') }}
    where item_status = 'payable'
),

payroll_export as (
    select * from {{ ref('int_payroll_export') }}
),

approval as (
    select * from {{ ref('int_payroll_export_approval') }}
),

export_demand as (
    select * from {{ ref('payroll_export_demand') }}
),

-- the lines the payroll file would have: what nets to nothing within a kind is no line
line as (
    select
        payment_period,
        country_code,
        currency_code,
        employee_number,
        earning_kind,
        pay_code,
        sum(amount) as amount
    from item
    group by payment_period, country_code, currency_code, employee_number, earning_kind, pay_code
),

total as (
    select
        payment_period,
        country_code,
        currency_code,
        count(*) filter (where amount <> 0) as line_count,
        sum(amount) as amount
    from line
    group by payment_period, country_code, currency_code
    having count(*) filter (where amount <> 0) > 0
),

past as (
    select
        payment_period,
        country_code,
        max(export_number) as export_number
    from payroll_export
    group by payment_period, country_code
),

candidate as (
    select
        total.payment_period,
        total.country_code,
        coalesce(max(past.export_number), 0) + 1 as export_number
    from total
    left join past on total.payment_period = past.payment_period and total.country_code = past.country_code
    group by total.payment_period, total.country_code
),

-- one row per approval of the candidate, whatever currencies it has
approval_head as (
    select
        approval.approval_id,
        approval.payment_period,
        approval.country_code,
        approval.role_code,
        min(approval.approved_by) as approved_by,
        bool_and(approval.is_entitled) as is_entitled,
        max(approval.refusal_reasons) as refusal_reasons
    from approval
    inner join candidate
        on
            approval.payment_period = candidate.payment_period
            and approval.country_code = candidate.country_code
            and approval.export_number = candidate.export_number
    group by approval.approval_id, approval.payment_period, approval.country_code, approval.role_code
),

-- every currency of an approval or of what it approves, so that one that is left out is seen
approval_currency as (
    select
        approval_head.approval_id,
        approval_head.payment_period,
        approval_head.country_code,
        total.currency_code
    from approval_head
    inner join total
        on approval_head.payment_period = total.payment_period and approval_head.country_code = total.country_code

    union

    select
        approval_head.approval_id,
        approval_head.payment_period,
        approval_head.country_code,
        approval.currency_code
    from approval_head
    inner join approval on approval_head.approval_id = approval.approval_id
),

compared as (
    select
        approval_currency.approval_id,
        {{ string_list(
            "'approved ' || coalesce(
                cast(approval.line_count as varchar) || ' lines of '
                || cast(approval.control_total_amount as varchar), 'nothing'
            ) || ' ' || approval_currency.currency_code || ', to be exported ' || coalesce(
                cast(total.line_count as varchar) || ' lines of '
                || cast(cast(total.amount as decimal(18, 2)) as varchar), 'nothing'
            )",
            'approval_currency.currency_code'
        ) }} as total_differences
    from approval_currency
    left join approval
        on
            approval_currency.approval_id = approval.approval_id
            and approval_currency.currency_code = approval.currency_code
    left join total
        on
            approval_currency.payment_period = total.payment_period
            and approval_currency.country_code = total.country_code
            and approval_currency.currency_code = total.currency_code
    where
        approval.approval_id is null
        or total.currency_code is null
        or approval.line_count <> total.line_count
        or approval.control_total_amount <> total.amount
    group by approval_currency.approval_id
),

judged as (
    select
        approval_head.*,
        approval_head.is_entitled and compared.approval_id is null as is_counted,
        concat_ws(
            ', ', approval_head.refusal_reasons, 'control_total_differs (' || compared.total_differences || ')'
        ) as faults
    from approval_head
    left join compared on approval_head.approval_id = compared.approval_id
),

role_demand as (
    select
        candidate.payment_period,
        candidate.country_code,
        candidate.export_number,
        'export_is_approved_by_' || export_demand.role_code as demand_code,
        count(*) filter (where judged.is_counted) > 0 as is_met,
        {{ string_list(
            "case
                when not judged.is_counted
                    then judged.approval_id || ' by ' || judged.approved_by || ': ' || judged.faults
            end",
            'judged.approval_id'
        ) }} as refused
    from candidate
    cross join export_demand
    left join judged
        on
            candidate.payment_period = judged.payment_period
            and candidate.country_code = judged.country_code
            and export_demand.role_code = judged.role_code
    group by candidate.payment_period, candidate.country_code, candidate.export_number, export_demand.role_code
),

signer as (
    select
        payment_period,
        country_code,
        min(approved_by) as first_signer,
        max(approved_by) as last_signer
    from judged
    where is_counted
    group by payment_period, country_code
),

listed as (
    select
        payment_period,
        country_code,
        export_number,
        demand_code,
        is_met,
        case when not is_met then coalesce(refused, 'nobody has signed it') end as finding
    from role_demand

    union all

    select
        candidate.payment_period,
        candidate.country_code,
        candidate.export_number,
        'approvals_are_of_two_persons' as demand_code,
        coalesce(signer.first_signer <> signer.last_signer, false) as is_met,
        case
            when signer.first_signer is null then 'no approval counts'
            when signer.first_signer = signer.last_signer then 'all that count are of ' || signer.first_signer
        end as finding
    from candidate
    left join signer
        on candidate.payment_period = signer.payment_period and candidate.country_code = signer.country_code
),

final as (
    select
        cast(payment_period as varchar) as payment_period,
        cast(country_code as varchar) as country_code,
        cast(export_number as integer) as export_number,
        cast(demand_code as varchar) as demand_code,
        cast(is_met as boolean) as is_met,
        cast(finding as varchar) as finding,
        cast(bool_and(is_met) over (partition by payment_period, country_code) as boolean) as is_export_approved
    from listed
)

select * from final
