-- Every sign-off known at the as-of instant, of whatever register, and whether it counts: of somebody who held an
-- entitled role on its day, and who did not ask for it.
with governance_approval as (
    select * from {{ ref('governance_approval') }}
),

plan_approval as (
    select * from {{ ref('plan_approval') }}
),

metric_change_request as (
    select * from {{ ref('metric_change_request') }}
),

target_relaxation as (
    select * from {{ ref('target_relaxation') }}
),

weight_adjustment as (
    select * from {{ ref('weight_adjustment') }}
),

approval_role as (
    select * from {{ ref('approval_role') }}
),

governance_member as (
    select * from {{ ref('governance_member') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

requests as (
    select
        'metric_change_request' as register_code,
        change_request_id as register_id,
        requested_by,
        requested_on
    from metric_change_request

    union all

    select
        'target_relaxation' as register_code,
        relaxation_id as register_id,
        requested_by,
        requested_on
    from target_relaxation

    union all

    select
        'weight_adjustment' as register_code,
        adjustment_id as register_id,
        requested_by,
        requested_on
    from weight_adjustment
),

approvals as (
    select
        governance_approval.approval_id,
        governance_approval.register_code,
        governance_approval.register_id,
        cast(null as integer) as subject_version,
        cast(null as varchar) as country_code,
        governance_approval.approval_type,
        requests.requested_by,
        requests.requested_on,
        governance_approval.decided_by,
        governance_approval.decided_on,
        governance_approval.recorded_at,
        governance_approval.decision
    from governance_approval
    left join requests
        on
            governance_approval.register_code = requests.register_code
            and governance_approval.register_id = requests.register_id

    union all

    select
        approval_id,
        'plan_approval' as register_code,
        subject_code as register_id,
        subject_version,
        country_code,
        approval_type,
        requested_by,
        requested_on,
        decided_by,
        decided_on,
        recorded_at,
        decision
    from plan_approval
),

known as (
    select
        approvals.*,
        {{ counts_from('approvals.decided_on', 'approvals.recorded_at') }} as counts_from_at
    from approvals
    cross join run_context
    where {{ counts_from('approvals.decided_on', 'approvals.recorded_at') }} <= run_context.as_of_at
),

entitled as (
    select distinct known.approval_id
    from known
    inner join approval_role on known.approval_type = approval_role.approval_type
    inner join governance_member
        on
            approval_role.role_code = governance_member.role_code
            and known.decided_by = governance_member.employee_number
            and {{ in_office('governance_member', 'known.decided_on', 'known.counts_from_at') }}
),

judged as (
    select
        known.*,
        concat_ws(
            ', ',
            case when coalesce(known.decision, '') <> 'approved' then 'not_approved' end,
            case when entitled.approval_id is null then 'role_not_held' end,
            case
                when known.requested_by is null or known.requested_on is null then 'request_missing'
                when known.decided_by = known.requested_by then 'approver_is_requester'
            end,
            case when known.decided_on < known.requested_on then 'approved_before_requested' end
        ) as faults
    from known
    left join entitled on known.approval_id = entitled.approval_id
),

final as (
    select
        approval_id,
        register_code,
        register_id,
        subject_version,
        country_code,
        approval_type,
        requested_by,
        decided_by,
        decided_on,
        recorded_at,
        decision,
        counts_from_at,
        faults = '' as is_counted,
        nullif(faults, '') as refusal_reasons
    from judged
)

select * from final
