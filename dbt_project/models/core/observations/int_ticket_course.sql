-- What happened to a ticket between its opening and its last resolution, once for everything that counts tickets.
with events as (
    select * from {{ ref('int_ticket_event') }}
),

tickets as (
    select * from {{ ref('int_ticket') }}
),

teams as (
    select
        team_code,
        tier
    from {{ ref('team') }}
),

-- what stood before each event: a group or a person taken away says nothing of who comes next
compared as (
    select
        events.*,
        lag(ticket_state) over (partition by ticket_id order by event_sequence) as earlier_state,
        last_value(assignment_group_name ignore nulls) over earlier_events as earlier_group_name,
        last_value(team_code ignore nulls) over earlier_events as earlier_team_code,
        last_value(assigned_employee_number ignore nulls) over earlier_events as earlier_employee_number
    from events
    window earlier_events as (
        partition by ticket_id
        order by event_sequence
        rows between unbounded preceding and 1 preceding
    )
),

judged as (
    select
        compared.*,
        compared.ticket_state in ('resolved', 'closed') as is_stopped,
        coalesce(compared.earlier_state in ('resolved', 'closed'), false) as was_stopped,
        coalesce(compared.assignment_group_name <> compared.earlier_group_name, false) as is_handover,
        coalesce(
            compared.assignment_group_name <> compared.earlier_group_name and teams.tier > earlier_teams.tier, false
        ) as is_escalation,
        coalesce(compared.assigned_employee_number <> compared.earlier_employee_number, false) as is_person_change
    from compared
    left join teams on compared.team_code = teams.team_code
    left join teams as earlier_teams on compared.earlier_team_code = earlier_teams.team_code
),

courses as (
    select
        ticket_id,
        max(ticket_key) as ticket_key,
        max(event_sequence) as last_sequence,
        max(case when is_stopped and not was_stopped then event_sequence end) as stop_sequence,
        min(case when ticket_state not in ('new', 'unknown', 'canceled') then event_at end) as responded_at,
        min_by(coalesce(team_code, ''), case when assignment_group_name is not null then event_sequence end)
            as first_team_code,
        min_by(assigned_employee_number, case when assigned_employee_number is not null then event_sequence end)
            as first_employee_number,
        sum(case when is_handover then 1 else 0 end) as handover_count,
        sum(case when is_escalation then 1 else 0 end) as escalation_count,
        sum(case when is_person_change then 1 else 0 end) as person_change_count,
        sum(case when was_stopped and not is_stopped and ticket_state <> 'canceled' then 1 else 0 end)
            as reopening_count,
        sum(
            case
                when ticket_state = 'awaiting_caller' and coalesce(earlier_state, '') <> 'awaiting_caller' then 1
                else 0
            end
        ) as caller_wait_count
    from judged
    group by ticket_id
),

-- a ticket counts as it stood when it was resolved the last time; one that is not resolved, as it stands now
situations as (
    select
        courses.*,
        tickets.source_system,
        tickets.opened_at,
        tickets.channel as source_channel,
        case
            when tickets.has_history_contradiction then 'history_contradiction'
            when tickets.ticket_state = 'canceled' then 'canceled'
            when tickets.ticket_state in ('resolved', 'closed') then 'observed'
            else 'open'
        end as observation_status,
        case
            when tickets.ticket_state in ('resolved', 'closed') then courses.stop_sequence else courses.last_sequence
        end as situation_sequence,
        tickets.batch_id
    from courses
    inner join tickets on courses.ticket_key = tickets.ticket_key
),

final as (
    select
        situations.ticket_key,
        situations.source_system,
        situations.observation_status,
        situations.opened_at,
        situations.responded_at,
        case when situations.observation_status = 'observed' then counted.event_at end as resolved_at,
        situations.source_channel,
        counted.priority,
        counted.service_code,
        counted.contract_code,
        counted.exclusion_scope_code,
        counted.team_code,
        counted.assigned_employee_number as employee_number,
        nullif(situations.first_team_code, '') as first_team_code,
        situations.first_employee_number,
        cast(situations.handover_count as bigint) as handover_count,
        cast(situations.escalation_count as bigint) as escalation_count,
        cast(situations.person_change_count as bigint) as person_change_count,
        cast(situations.reopening_count as bigint) as reopening_count,
        cast(situations.caller_wait_count as bigint) as caller_wait_count,
        situations.observation_status = 'observed'
        and situations.handover_count = 0
        and situations.person_change_count = 0
        and situations.reopening_count = 0
        and situations.caller_wait_count = 0 as is_first_contact_resolved,
        situations.batch_id
    from situations
    inner join events as counted
        on situations.ticket_id = counted.ticket_id and situations.situation_sequence = counted.event_sequence
)

select * from final
