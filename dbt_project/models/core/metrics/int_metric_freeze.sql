-- Every request to freeze a metric, with whether it takes effect and, where not, each reason why.
with metric_freeze as (
    select * from {{ ref('metric_freeze') }}
),

judged as (
    select
        *,
        coalesce(decision, '') = 'approved' as is_approved,
        approved_by is not null and approved_on is not null as is_signed,
        requested_by is not null and (approved_by is null or approved_by <> requested_by) as is_by_another,
        approved_on is null or approved_on <= frozen_to_on as is_in_time,
        frozen_from_on <= frozen_to_on as is_a_window
    from metric_freeze
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
        is_approved and is_signed and is_by_another and is_in_time and is_a_window as is_effective,
        nullif(concat_ws(
            ', ',
            case when not is_approved then 'not_approved' end,
            case when not is_signed then 'approval_without_name_or_day' end,
            case when not is_by_another then 'approver_is_requester' end,
            case when not is_in_time then 'approved_after_the_freeze_ended' end,
            case when not is_a_window then 'ends_before_it_begins' end
        ), '') as refusal_reasons
    from judged
)

select * from final
