-- Findings of audits and restatements about results that were paid on, and whether they count: entered, and approved by
-- somebody else than who asked.
with clawback_event as (
    select * from {{ ref('clawback_event') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

judged as (
    select
        clawback_event.*,
        run_context.as_of_at,
        case
            when clawback_event.approved_by is null or clawback_event.approved_on is null then ', not_approved' else ''
        end
        || case
            when clawback_event.approved_by = clawback_event.requested_by then ', approved_by_requester' else ''
        end
        || case
            when clawback_event.approved_on > cast(run_context.as_of_at as date) then ', approved_later' else ''
        end as reasons
    from clawback_event
    cross join run_context
),

final as (
    select
        event_id,
        reason,
        earned_quarter,
        team_code,
        metric_code,
        employee_number,
        corrected_value,
        found_on,
        document_reference,
        reasons = '' as is_counted,
        nullif(substr(reasons, 3), '') as refusal_reasons
    from judged
    where recorded_at <= as_of_at
)

select * from final
