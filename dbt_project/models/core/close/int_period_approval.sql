-- Every approval of a period's pay known at the as-of instant, by currency, and whether its signer was entitled to it.
-- What was approved is held against what was calculated where a period is closed.
with period_approval as (
    select * from {{ ref('period_approval') }}
),

period_approval_demand as (
    select * from {{ ref('period_approval_demand') }}
),

governance_member as (
    select * from {{ ref('governance_member') }}
),

reporting_period as (
    select * from {{ ref('int_reporting_period') }}
    where period_grain = 'quarter'
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

known as (
    select
        period_approval.*,
        {{ counts_from('period_approval.approved_on', 'period_approval.recorded_at') }} as counts_from_at
    from period_approval
    cross join run_context
    where {{ counts_from('period_approval.approved_on', 'period_approval.recorded_at') }} <= run_context.as_of_at
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

-- who prepared the same amounts of the period, for whichever signature: two signers do not prepare for each other
preparer as (
    select distinct
        period_code,
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
            case when period_approval_demand.approval_kind is null then 'role_not_demanded' end,
            case when role_held.approval_id is null then 'role_not_held' end,
            case
                when coalesce(known.approved_by = known.prepared_by, true) then 'approver_is_preparer'
                when preparer.prepared_by is not null then 'approver_prepared_another_signature'
            end,
            case
                when coalesce(known.approved_on < reporting_period.period_end_on, true)
                    then 'approved_before_period_end'
            end
        ) as faults
    from known
    left join period_approval_demand
        on
            known.approval_kind = period_approval_demand.approval_kind
            and known.role_code = period_approval_demand.role_code
    left join role_held
        on known.approval_id = role_held.approval_id and known.currency_code = role_held.currency_code
    left join preparer
        on
            known.period_code = preparer.period_code
            and known.currency_code = preparer.currency_code
            and known.control_total_amount = preparer.control_total_amount
            and known.approved_by = preparer.prepared_by
    left join reporting_period on known.period_code = reporting_period.period_code
),

final as (
    select
        approval_id,
        period_code,
        approval_kind,
        role_code,
        currency_code,
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
