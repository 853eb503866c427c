with breaches as (
    select * from {{ ref('fct_slt_breach') }}
),

decisions as (
    select * from {{ ref('int_review_decision') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

-- a suspicion nobody has judged yet, or that only a refused decision is there for
open_suspicions as (
    select
        'suspected_breach' as queue_reason,
        breaches.ticket_slt_key,
        cast(null as varchar) as review_id,
        cast(null as varchar) as refusal_code,
        breaches.target_reached_at as waiting_from_at
    from breaches
    where breaches.false_positive = 'suspected'
),

-- a decision that does not count, with why, so that it can be taken again
refused_decisions as (
    select
        'refused_decision' as queue_reason,
        decisions.ticket_slt_key,
        decisions.review_id,
        case
            when decisions.refusal_code is not null then decisions.refusal_code
            when breaches.target_reached_at is null then 'names_no_breach'
            else 'decided_before_breach'
        end as refusal_code,
        decisions.decided_at as waiting_from_at
    from decisions
    left join breaches on decisions.ticket_slt_key = breaches.ticket_slt_key
    where
        not decisions.is_valid
        or breaches.target_reached_at is null
        or decisions.decided_at < breaches.target_reached_at
),

queued as (
    select * from open_suspicions
    union all
    select * from refused_decisions
),

explained as (
    select
        queued.queue_reason,
        queued.ticket_slt_key,
        queued.review_id,
        queued.refusal_code,
        queued.waiting_from_at,
        breaches.slt_code,
        breaches.service_code,
        breaches.team_code,
        breaches.priority,
        breaches.breach_class,
        breaches.overrun_seconds,
        breaches.false_positive_reasons,
        {{ day_count('queued.waiting_from_at', 'run_context.as_of_at') }} as waiting_days,
        case
            when queued.queue_reason = 'suspected_breach'
                then 'review the breach and add a row to review_decision.csv'
            when queued.refusal_code = 'names_no_ticket'
                then 'mend source_system and ticket_number of the decision'
            when queued.refusal_code = 'names_no_breach'
                then 'withdraw the decision or mend its ticket_number or slt_code: the log has no such breach'
            when queued.refusal_code = 'decided_before_breach'
                then 'decide again: the decision is older than the breach'
            when queued.refusal_code = 'decided_before_requested'
                then 'mend requested_at or decided_at of the decision'
            when queued.refusal_code = 'without_reason'
                then 'give the reason of the decision'
            else 'have somebody decide who neither asked for it, nor worked on the ticket, nor leads who did'
        end as how_to_mend
    from queued
    left join breaches on queued.ticket_slt_key = breaches.ticket_slt_key
    cross join run_context
),

final as (
    select
        cast(coalesce(review_id, 'breach') || ':' || ticket_slt_key as varchar) as queue_key,
        cast(queue_reason as varchar) as queue_reason,
        cast(row_number() over (
            order by
                case when queue_reason = 'refused_decision' then 0 else 1 end,
                priority asc nulls last, overrun_seconds desc nulls last, ticket_slt_key asc, review_id asc nulls last
        ) as integer) as queue_rank,
        cast(ticket_slt_key as varchar) as ticket_slt_key,
        cast(slt_code as varchar) as slt_code,
        cast(service_code as varchar) as service_code,
        cast(team_code as varchar) as team_code,
        cast(priority as integer) as priority,
        cast(breach_class as varchar) as breach_class,
        cast(overrun_seconds as bigint) as overrun_seconds,
        cast(false_positive_reasons as varchar) as false_positive_reasons,
        cast(review_id as varchar) as review_id,
        cast(refusal_code as varchar) as refusal_code,
        cast(waiting_from_at as timestamp) as waiting_from_at,
        cast(waiting_days as bigint) as waiting_days,
        cast(how_to_mend as varchar) as how_to_mend
    from explained
)

select * from final
