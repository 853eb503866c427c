-- Every approval of a payroll export known at the as-of instant, by currency, and whether its signer was entitled to
-- it. What was approved is held against what is to be exported in rpt_payroll_export_readiness.
with payroll_export_approval as (
    select * from {{ ref('payroll_export_approval') }}
),

payroll_export_demand as (
    select * from {{ ref('payroll_export_demand') }}
),

governance_member as (
    select * from {{ ref('governance_member') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

known as (
    select
        payroll_export_approval.*,
        {{ counts_from('payroll_export_approval.approved_on', 'payroll_export_approval.recorded_at') }}
            as counts_from_at
    from payroll_export_approval
    cross join run_context
    where
        {{ counts_from('payroll_export_approval.approved_on', 'payroll_export_approval.recorded_at') }}
        <= run_context.as_of_at
),

-- on the day it was signed
role_held as (
    select distinct
        known.approval_id,
        known.currency_code
    from known
    inner join governance_member
        on
            known.role_code = governance_member.role_code
            and known.approved_by = governance_member.employee_number
            and known.approved_on >= governance_member.from_on
            and known.approved_on <= coalesce(governance_member.to_on, date '9999-12-31')
),

-- who asked for the same export and amounts, by whichever approval: two signers do not ask for each other
requester as (
    select distinct
        payment_period,
        country_code,
        export_number,
        currency_code,
        control_total_amount,
        prepared_by
    from known
),

judged as (
    select
        known.*,
        concat_ws(
            ', ',
            case when coalesce(known.decision, '') <> 'approved' then 'not_approved' end,
            case when payroll_export_demand.role_code is null then 'role_not_demanded' end,
            case when role_held.approval_id is null then 'role_not_held' end,
            case
                when coalesce(known.approved_by = known.prepared_by, true) then 'approver_is_requester'
                when requester.prepared_by is not null then 'approver_requested_another_signature'
            end,
            case
                when coalesce(known.approved_on < {{ month_code_start('known.payment_period') }}, true)
                    then 'approved_before_payment_month'
            end
        ) as faults
    from known
    left join payroll_export_demand on known.role_code = payroll_export_demand.role_code
    left join role_held
        on known.approval_id = role_held.approval_id and known.currency_code = role_held.currency_code
    left join requester
        on
            known.payment_period = requester.payment_period
            and known.country_code = requester.country_code
            and known.export_number = requester.export_number
            and known.currency_code = requester.currency_code
            and known.control_total_amount = requester.control_total_amount
            and known.approved_by = requester.prepared_by
),

final as (
    select
        approval_id,
        payment_period,
        country_code,
        export_number,
        role_code,
        currency_code,
        line_count,
        control_total_amount,
        prepared_by,
        approved_by,
        approved_on,
        recorded_at,
        decision,
        counts_from_at,
        faults = '' as is_entitled,
        nullif(faults, '') as refusal_reasons
    from judged
)

select * from final
