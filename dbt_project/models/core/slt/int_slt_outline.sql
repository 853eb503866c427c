{{ config(materialized='by_ticket') }}
with changes as (
    select * from {{ ref('int_slt_state_change') }}
    where {{ for_tickets('ticket_id') }}
),

definitions as (
    select * from {{ ref('int_slt_definition') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

marks as (
    select
        ticket_slt_key,
        ticket_id,
        ticket_key,
        slt_code,
        slt_version,
        has_history_contradiction,
        cycle_number,
        min(event_at) as start_at,
        max(event_at) as last_event_at,
        min(case when clock_role in ('stopped', 'canceled') then event_at end) as first_ended_at,
        max(case when clock_role not in ('stopped', 'canceled') then event_at end) as last_not_ended_at
    from changes
    group by
        ticket_slt_key, ticket_id, ticket_key, slt_code, slt_version, has_history_contradiction, cycle_number
),

-- what decides: the first stop or cancellation, or the start of the unbroken stretch of them the ticket is
-- still in (none when it is in none now). A cancellation behind a stop takes no verdict away, and one that
-- was left again never was.
deciding as (
    select
        marks.ticket_slt_key,
        min(changes.event_at) as decided_at
    from marks
    inner join definitions
        on marks.slt_code = definitions.slt_code and marks.slt_version = definitions.slt_version
    inner join changes
        on
            marks.ticket_slt_key = changes.ticket_slt_key
            and changes.clock_role in ('stopped', 'canceled')
            and (
                (definitions.reopen_policy = 'first_stop' and marks.first_ended_at = changes.event_at)
                or (
                    definitions.reopen_policy <> 'first_stop'
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
        ticket_id,
        ticket_key,
        slt_code,
        slt_version,
        has_history_contradiction,
        cycle_number,
        start_at,
        stop_at,
        canceled_at,
        coalesce(stop_at, canceled_at, as_of_at) as end_at,
        coalesce(stop_at, canceled_at, last_event_at) as end_situation_at,
        case when stop_at is null and canceled_at is null then as_of_at end as as_of_at
    from ends
)

select * from final
