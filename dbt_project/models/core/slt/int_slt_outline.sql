with changes as (
    select * from {{ ref('int_slt_state_change') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

marks as (
    select
        ticket_slt_key,
        ticket_key,
        source_system,
        slt_code,
        slt_version,
        phase,
        reopen_policy,
        target_policy,
        exclusion_audience,
        at_risk_share,
        opened_at as start_at,
        has_history_contradiction,
        min(case when clock_role in ('stopped', 'canceled') then event_at end) as first_ended_at,
        max(case when clock_role not in ('stopped', 'canceled') then event_at end) as last_not_ended_at
    from changes
    group by all
),

-- what decides: the first stop or cancellation, or the start of the unbroken stretch of them the ticket is
-- still in (none when it is in none now). A cancellation behind a stop takes no verdict away, and one that
-- was left again never was.
deciding as (
    select
        marks.ticket_slt_key,
        min(changes.event_at) as decided_at
    from marks
    inner join changes
        on
            marks.ticket_slt_key = changes.ticket_slt_key
            and changes.clock_role in ('stopped', 'canceled')
            and (
                (marks.reopen_policy = 'first_stop' and marks.first_ended_at = changes.event_at)
                or (
                    marks.reopen_policy <> 'first_stop'
                    and (marks.last_not_ended_at is null or marks.last_not_ended_at < changes.event_at)
                )
            )
    where not marks.has_history_contradiction
    group by marks.ticket_slt_key
),

ends as (
    select
        marks.*,
        run_context.as_of_at,
        case when changes.clock_role = 'canceled' then changes.event_at end as canceled_at,
        case when changes.clock_role = 'stopped' then changes.event_at end as stop_at
    from marks
    cross join run_context
    left join deciding on marks.ticket_slt_key = deciding.ticket_slt_key
    left join changes
        on
            deciding.ticket_slt_key = changes.ticket_slt_key
            and deciding.decided_at = changes.event_at
),

final as (
    select
        ticket_slt_key,
        ticket_key,
        source_system,
        slt_code,
        slt_version,
        phase,
        reopen_policy,
        target_policy,
        exclusion_audience,
        at_risk_share,
        has_history_contradiction,
        start_at,
        stop_at,
        canceled_at,
        coalesce(stop_at, canceled_at, as_of_at) as end_at,
        as_of_at
    from ends
)

select * from final
