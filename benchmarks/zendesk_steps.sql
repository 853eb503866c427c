-- Tickets in Zendesk's shape straight to the narrow steps the clock reads: int_ticket_situation and int_ticket_step
-- as the warehouse's models would write them from zendesk_events.sql, without writing the events in between. A
-- situation is numbered by its parts (state, priority, schedule) instead of looked up by them.

create view core.int_ticket as
select
    'zendesk:' || id as ticket_key,
    cast(id as integer) as ticket_id,
    false as has_history_contradiction
from zendesk.ticket;

create view core.int_ticket_event as
select created_at as event_at from zendesk.ticket;

create table core.schedule_number as
select
    id as schedule_id,
    cast(row_number() over (order by id) - 1 as integer) as schedule_number,
    min(created_at) = min(min(created_at)) over () as is_default
from zendesk.schedule
group by id;

-- status 0 to 5 by its place in the list, six more with a reply
create table core.int_ticket_situation as
select
    cast(
        1 + (states.state_number * 4 + priorities.priority - 1) * schedules.schedule_count + schedules.schedule_number
        as integer
    ) as situation_id,
    'zendesk' as source_system,
    (['new', 'open', 'pending', 'hold', 'solved', 'closed'])[1 + states.state_number % 6]
    || case when states.state_number >= 6 then '_replied' else '' end as ticket_state,
    cast(priorities.priority as integer) as priority,
    'schedule_' || schedules.schedule_id as service_code,
    cast(null as varchar) as team_code,
    cast(null as varchar) as contract_code,
    '' as exclusion_scope_code
from range(12) as states (state_number)
cross join range(1, 5) as priorities (priority)
cross join (select *, count(*) over () as schedule_count from core.schedule_number) as schedules
order by situation_id;

--- core.int_ticket_step
with replies as (
    select
        ticket_id,
        min(cast(epoch(created) - {{ clock_origin() }} as integer)) as replied_s
    from zendesk.ticket_comment
    where
        public
        and user_id in (select id from zendesk."user" where role in ('agent', 'admin'))
        and {{ for_tickets('ticket_id') }}
    group by ticket_id
),

-- the priority the targets were given by is that of the opening: the first one
priorities as (
    select
        ticket_id,
        min(cast(epoch(updated) - {{ clock_origin() }} as bigint) * 4 + zendesk_priority(value) - 1) & 3
            as priority_number
    from zendesk.ticket_field_history
    where field_name = 'priority' and {{ for_tickets('ticket_id') }}
    group by ticket_id
),

schedules as (
    select
        ticket_schedules.ticket_id,
        numbers.schedule_number
    from zendesk.ticket_schedule as ticket_schedules
    inner join core.schedule_number as numbers on ticket_schedules.schedule_id = numbers.schedule_id
    where {{ for_tickets('ticket_schedules.ticket_id') }}
),

tickets as (
    select
        priorities.ticket_id,
        replies.replied_s,
        cast(priorities.priority_number * size.schedule_count as integer)
        + coalesce(schedules.schedule_number, size.default_number) as first_situation_id,
        cast(4 * size.schedule_count as integer) as state_width
    from priorities
    left join schedules on priorities.ticket_id = schedules.ticket_id
    left join replies on priorities.ticket_id = replies.ticket_id
    cross join (
        select
            count(*) as schedule_count,
            max(schedule_number) filter (is_default) as default_number
        from core.schedule_number
    ) as size
),

statuses as (
    select
        history.ticket_id,
        cast(epoch(history.updated) - {{ clock_origin() }} as integer) as event_s,
        cast(case history.value
            when 'new' then 0 when 'open' then 1 when 'pending' then 2 when 'hold' then 3 when 'solved' then 4 else 5
        end as integer) as status_number,
        tickets.replied_s,
        tickets.first_situation_id,
        tickets.state_width
    from zendesk.ticket_field_history as history
    inner join tickets on history.ticket_id = tickets.ticket_id
    where history.field_name = 'status' and {{ for_tickets('history.ticket_id') }}
),

held_at_reply as (
    select
        ticket_id,
        max(cast(event_s as bigint) * 8 + status_number) as mark
    from statuses
    where event_s <= replied_s
    group by ticket_id
),

-- a reply that came with no change of status is a step of its own, in the status held then
steps as (
    select
        ticket_id,
        event_s,
        1 + first_situation_id
        + state_width * (status_number + case when replied_s <= event_s then 6 else 0 end) as situation_id
    from statuses
    union all
    select
        held_at_reply.ticket_id,
        tickets.replied_s as event_s,
        1 + tickets.first_situation_id
        + tickets.state_width * (cast(held_at_reply.mark & 7 as integer) + 6) as situation_id
    from held_at_reply
    inner join tickets on held_at_reply.ticket_id = tickets.ticket_id
    where held_at_reply.mark >> 3 < tickets.replied_s
)

-- one order of all tickets, in which a ticket's neighbours stand beside it, costs less than one a ticket
select
    cast(ticket_id as integer) as ticket_id,
    event_s,
    case when lead(ticket_id) over history = ticket_id then lead(event_s) over history end as next_event_s,
    case
        when lag(ticket_id) over history = ticket_id then lag(situation_id) over history else 0
    end as situation_before_id,
    situation_id as situation_after_id
from steps
window history as (order by ticket_id, event_s)
