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
        min(case when clock_role = 'stopped' then event_at end) as first_stopped_at,
        min(case when clock_role = 'canceled' then event_at end) as first_canceled_at,
        max(case when clock_role <> 'stopped' then event_at end) as last_not_stopped_at
    from changes
    group by all
),

-- the start of the unbroken stopped stretch the ticket is still in; none when it is not stopped now
last_stretches as (
    select
        marks.ticket_slt_key,
        min(changes.event_at) as last_stopped_at
    from marks
    inner join changes
        on
            marks.ticket_slt_key = changes.ticket_slt_key
            and changes.clock_role = 'stopped'
            and (marks.last_not_stopped_at is null or marks.last_not_stopped_at < changes.event_at)
    group by marks.ticket_slt_key
),

ends as (
    select
        marks.*,
        run_context.as_of_at,
        case
            when marks.has_history_contradiction then null
            when marks.reopen_policy = 'first_stop' and marks.first_canceled_at < marks.first_stopped_at
                then marks.first_canceled_at
            when marks.reopen_policy = 'first_stop' and marks.first_stopped_at is not null then null
            else marks.first_canceled_at
        end as canceled_at,
        case
            when marks.has_history_contradiction then null
            when marks.reopen_policy = 'first_stop' and marks.first_canceled_at < marks.first_stopped_at
                then null
            when marks.reopen_policy = 'first_stop' then marks.first_stopped_at
            when marks.first_canceled_at is not null then null
            else last_stretches.last_stopped_at
        end as stop_at
    from marks
    cross join run_context
    left join last_stretches on marks.ticket_slt_key = last_stretches.ticket_slt_key
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
