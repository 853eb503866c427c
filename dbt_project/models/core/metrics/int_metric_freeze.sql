-- Every request to freeze a metric recorded by the run's instant, with whether it takes effect and, where not, each
-- reason why.
with metric_freeze as (
    select * from {{ ref('metric_freeze') }}
),

approval_role as (
    select * from {{ ref('approval_role') }}
    where approval_type = 'metric_freeze'
),

governance_member as (
    select * from {{ ref('governance_member') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

known as (
    select
        metric_freeze.*,
        run_context.as_of_at
    from metric_freeze
    cross join run_context
    where metric_freeze.recorded_at <= run_context.as_of_at
),

-- in a role held that day, by a term that was on record when the freeze was
entitled as (
    select distinct known.freeze_id
    from known
    inner join governance_member
        on
            known.approved_by = governance_member.employee_number
            and {{ in_office('governance_member', 'known.approved_on', 'known.recorded_at') }}
    inner join approval_role on governance_member.role_code = approval_role.role_code
),

judged as (
    select
        known.*,
        coalesce(known.decision, '') = 'approved'
        and (known.approved_on is null or cast(known.approved_on as timestamp) <= known.as_of_at) as is_approved,
        known.approved_by is not null and known.approved_on is not null as is_signed,
        known.requested_by is not null and (known.approved_by is null or known.approved_by <> known.requested_by)
            as is_by_another,
        known.approved_by is null or known.approved_on is null or entitled.freeze_id is not null as is_by_a_role,
        -- entered under an earlier day, an approval gains nothing
        known.approved_on is null
        or greatest(known.approved_on, cast(known.recorded_at as date)) <= known.frozen_to_on as is_in_time,
        known.frozen_from_on <= known.frozen_to_on as is_a_window
    from known
    left join entitled on known.freeze_id = entitled.freeze_id
),

final as (
    select
        freeze_id,
        metric_code,
        entity_type,
        entity_code,
        frozen_from_on,
        frozen_to_on,
        freeze_policy,
        reason,
        requested_by,
        approved_by,
        approved_on,
        decision,
        recorded_at,
        is_approved and is_signed and is_by_another and is_by_a_role and is_in_time and is_a_window as is_effective,
        nullif(concat_ws(
            ', ',
            case when not is_approved then 'not_approved' end,
            case when not is_signed then 'approval_without_name_or_day' end,
            case when not is_by_another then 'approver_is_requester' end,
            case when not is_by_a_role then 'approver_without_role' end,
            case when not is_in_time then 'approved_after_the_freeze_ended' end,
            case when not is_a_window then 'ends_before_it_begins' end
        ), '') as refusal_reasons
    from judged
)

select * from final
