with records as (
    select * from {{ ref('int_ticket_record') }}
),

events as (
    select * from {{ ref('int_ticket_event') }}
),

last_events as (
    select *
    from events
    qualify row_number() over (partition by ticket_key order by event_sequence desc) = 1
),

-- what makes a history impossible, not merely untidy
contradictions as (
    select
        events.ticket_key,
        bool_or(events.ticket_state in ('resolved', 'closed') and events.recorded_at < records.opened_at)
            as is_stopped_before_opened,
        bool_or(events.inferred_reason = 'no_history') as is_without_history
    from events
    inner join records on events.ticket_key = records.ticket_key
    group by events.ticket_key
),

combined as (
    select
        records.ticket_key,
        last_events.ticket_id,
        records.source_system,
        records.ticket_number,
        records.opened_at,
        last_events.priority,
        last_events.service_code,
        last_events.contract_code,
        last_events.configuration_item_code,
        last_events.team_code,
        last_events.assignment_group_name,
        last_events.assigned_employee_number,
        last_events.ticket_state,
        records.made_sla,
        records.reopen_count,
        records.channel,
        records.source_resolved_at,
        records.source_closed_at,
        case
            when contradictions.is_stopped_before_opened then 'stopped_before_opened'
            when records.source_resolved_at < records.opened_at then 'resolved_at_before_opened_at'
            when records.source_closed_at < records.opened_at then 'closed_at_before_opened_at'
            when
                contradictions.is_without_history
                and (records.source_resolved_at is not null or records.source_closed_at is not null)
                then 'ended_without_history'
        end as history_contradiction_reason,
        records.batch_id
    from records
    inner join last_events on records.ticket_key = last_events.ticket_key
    inner join contradictions on records.ticket_key = contradictions.ticket_key
),

final as (
    select
        ticket_key,
        ticket_id,
        source_system,
        ticket_number,
        opened_at,
        priority,
        service_code,
        contract_code,
        configuration_item_code,
        team_code,
        assignment_group_name,
        assigned_employee_number,
        ticket_state,
        made_sla,
        reopen_count,
        channel,
        source_resolved_at,
        source_closed_at,
        history_contradiction_reason is not null as has_history_contradiction,
        history_contradiction_reason,
        batch_id
    from combined
)

select * from final
