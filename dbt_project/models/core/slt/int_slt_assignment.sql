with outlines as (
    select * from {{ ref('int_slt_outline') }}
),

tickets as (
    select * from {{ ref('int_ticket') }}
),

events as (
    select * from {{ ref('int_ticket_event') }}
),

targets as (
    select * from {{ ref('slt_target') }}
),

services as (
    select * from {{ ref('service') }}
),

-- what held when the clock started and when it ended; the last event at an instant holds
held as (
    select
        outlines.ticket_slt_key,
        max_by(events.service_code, events.event_sequence) filter (where events.event_at <= outlines.start_at)
            as service_code_at_start,
        max_by(coalesce(events.priority, -1), events.event_sequence)
        filter (where events.event_at <= outlines.start_at) as priority_at_start,
        max_by(coalesce(events.priority, -1), events.event_sequence) as priority_at_end,
        max(events.event_sequence) as last_sequence
    from outlines
    inner join events
        on
            outlines.ticket_key = events.ticket_key
            and outlines.end_at >= events.event_at
    group by outlines.ticket_slt_key
),

with_priority as (
    select
        outlines.*,
        tickets.ticket_number,
        held.service_code_at_start as service_code,
        last_events.team_code,
        case outlines.target_policy
            when 'as_of_start' then held.priority_at_start
            when 'as_of_stop' then held.priority_at_end
        end as priority,
        tickets.batch_id
    from outlines
    inner join tickets on outlines.ticket_key = tickets.ticket_key
    inner join held on outlines.ticket_slt_key = held.ticket_slt_key
    inner join events as last_events
        on
            outlines.ticket_key = last_events.ticket_key
            and held.last_sequence = last_events.event_sequence
),

with_target as (
    select
        with_priority.*,
        targets.target_seconds,
        targets.tolerance_seconds,
        coalesce(targets.calendar_code, services.calendar_code, 'always') as calendar_code
    from with_priority
    inner join targets
        on
            with_priority.slt_code = targets.slt_code
            and with_priority.slt_version = targets.slt_version
            and with_priority.priority = targets.priority
            and (targets.service_code is null or with_priority.service_code = targets.service_code)
            and cast(with_priority.start_at as date) >= targets.effective_from
            and cast(with_priority.start_at as date) <= coalesce(targets.effective_to, date '9999-12-31')
    left join services on with_priority.service_code = services.service_code
    -- a target of the ticket's own service beats the general one
    qualify row_number() over (
            partition by with_priority.ticket_slt_key
            order by case when targets.service_code is null then 1 else 0 end, targets.effective_from desc
        ) = 1
),

final as (
    select
        ticket_slt_key,
        ticket_key,
        ticket_number,
        source_system,
        slt_code,
        slt_version,
        phase,
        reopen_policy,
        exclusion_audience,
        at_risk_share,
        has_history_contradiction,
        service_code,
        team_code,
        priority,
        calendar_code,
        target_seconds,
        tolerance_seconds,
        start_at,
        stop_at,
        canceled_at,
        end_at,
        as_of_at,
        batch_id
    from with_target
)

select * from final
