-- Tickets in Zendesk's shape as the warehouse's own int_ticket and int_ticket_event: what any source is brought to.

create table core.int_ticket as
select
    'zendesk:' || id as ticket_key,
    cast(id as integer) as ticket_id,
    'zendesk' as source_system,
    cast(id as varchar) as ticket_number,
    created_at as opened_at,
    false as has_history_contradiction
from zendesk.ticket;

create table core.int_ticket_event as
with first_replies as (
    select
        comments.ticket_id,
        min(comments.created) as replied_at
    from zendesk.ticket_comment as comments
    inner join zendesk."user" as people on comments.user_id = people.id
    where comments.public and people.role in ('agent', 'admin')
    group by comments.ticket_id
),

-- the priority the targets were given by is that of the opening
opened as (
    select
        ticket_id,
        min_by(value, updated) as priority
    from zendesk.ticket_field_history
    where field_name = 'priority'
    group by ticket_id
),

tickets as (
    select
        opened.ticket_id,
        zendesk_priority(opened.priority) as priority,
        'schedule_' || coalesce(
            schedules.schedule_id, (select min_by(id, created_at) from zendesk.schedule)
        ) as service_code,
        first_replies.replied_at
    from opened
    left join zendesk.ticket_schedule as schedules on opened.ticket_id = schedules.ticket_id
    left join first_replies on opened.ticket_id = first_replies.ticket_id
),

statuses as (
    select
        history.ticket_id,
        history.updated as event_at,
        history.value as status,
        tickets.priority,
        tickets.service_code,
        tickets.replied_at
    from zendesk.ticket_field_history as history
    inner join tickets on history.ticket_id = tickets.ticket_id
    where history.field_name = 'status'
),

-- a reply that came with no change of status is an event of its own, in the status held then
replies as (
    select
        ticket_id,
        any_value(replied_at) as event_at,
        max_by(status, event_at) as status,
        any_value(priority) as priority,
        any_value(service_code) as service_code
    from statuses
    where event_at <= replied_at
    group by ticket_id
    having max(event_at) < any_value(replied_at)
),

events as (
    select
        ticket_id,
        event_at,
        case when replied_at <= event_at then status || '_replied' else status end as ticket_state,
        priority,
        service_code
    from statuses
    union all
    select
        ticket_id,
        event_at,
        status || '_replied' as ticket_state,
        priority,
        service_code
    from replies
)

select
    'zendesk:' || ticket_id as ticket_key,
    cast(ticket_id as integer) as ticket_id,
    1 as event_sequence,
    event_at,
    ticket_state,
    priority,
    service_code,
    cast(null as varchar) as team_code,
    cast(null as varchar) as contract_code,
    '' as exclusion_scope_code,
    false as is_state_carried,
    false as is_inferred,
    'benchmark' as batch_id
from events
order by ticket_id, event_at;
