-- From an account in Zendesk's shape (schema zendesk) to the reference data the clock reads: schedules, definitions,
-- targets. {as_of_at} is the instant of the figures. Tickets follow in zendesk_events.sql or zendesk_steps.sql.
--
-- Zendesk measures a first reply, which is no status. The state the clock sees is therefore the status and whether
-- an agent has replied in public: open, open_replied, pending ... A schedule stands as the ticket's service, so that
-- a target without a calendar of its own is measured by the ticket's schedule.

create schema core;
create schema reference;
create schema slt;

create table core.int_run_context as
select
    'benchmark' as run_id,
    timestamp '{as_of_at}' as as_of_at,
    'given' as as_of_policy;

-- schedules: minutes since Sunday 00:00 local to hours of ISO weekdays, zone names to those of the zone database
create table reference.calendar as
select
    'schedule_' || schedule.id as calendar_code,
    any_value(schedule.name) as calendar_name,
    any_value(zone.iana_name) as time_zone
from zendesk.schedule
inner join (
    values
    ('UTC', 'Etc/UTC'), ('Dublin', 'Europe/Dublin'), ('Eastern Time (US & Canada)', 'America/New_York'),
    ('Mumbai', 'Asia/Kolkata'), ('Adelaide', 'Australia/Adelaide')
) as zone (zendesk_name, iana_name) on schedule.time_zone = zone.zendesk_name
group by schedule.id
union all
select 'always', 'Around the clock', 'Etc/UTC';

create table reference.calendar_segment as
select
    'schedule_' || id as calendar_code,
    cast(case start_time // 1440 when 0 then 7 else start_time // 1440 end as integer) as iso_weekday,
    format('{{:02d}}:{{:02d}}', start_time % 1440 // 60, start_time % 60) as opens_at_local,
    format(
        '{{:02d}}:{{:02d}}', (end_time - start_time // 1440 * 1440) // 60, (end_time - start_time // 1440 * 1440) % 60
    ) as closes_at_local,
    date '2015-01-01' as effective_from,
    cast(null as date) as effective_to
from zendesk.schedule
union all
select 'always', cast(weekday as integer), '00:00', '24:00', date '2015-01-01', null
from range(1, 8) as weekdays (weekday);

create table reference.calendar_holiday as
select
    'schedule_' || schedule_id as calendar_code,
    cast(holiday_on as date) as holiday_on,
    name as holiday_name
from (
    select
        schedule_id,
        name,
        unnest(range(start_date, cast(end_date + 1 as timestamp), interval 1 day)) as holiday_on
    from zendesk.schedule_holiday
);

create table reference.service as
select
    calendar_code as service_code,
    calendar_code,
    cast(null as varchar) as vendor_code
from reference.calendar;

create table reference.contract (contract_code varchar, business_unit_code varchar);

create table core.int_exclusion_window (
    exclusion_scope_code varchar, audience varchar, window_number integer, starts_at timestamp, ends_at timestamp
);

-- three targets; a reopened ticket goes on where it stood, and only closing it ends work and waiting
create table reference.slt_definition as
select
    slt_code,
    1 as slt_version,
    slt_code as slt_name,
    'zendesk' as source_system,
    phase,
    reopen_policy,
    'as_of_start' as target_policy,
    'of_target' as calendar_policy,
    'pause_not_met' as resume_policy,
    true as is_attached_when_stopped,
    false as is_retroactive_start,
    false as is_retroactive_pause,
    'internal' as exclusion_audience,
    0.75 as at_risk_share,
    date '2015-01-01' as effective_from,
    cast(null as date) as effective_to
from (
    values
    ('first_reply_time', 'response', 'first_stop'), ('agent_work_time', 'resolution', 'running_through'),
    ('requester_wait_time', 'resolution', 'running_through')
) as definition (slt_code, phase, reopen_policy);

create table reference.slt_condition as
select
    slt_code,
    1 as slt_version,
    condition,
    cast(row_number() over (partition by slt_code, condition order by value) as integer) as clause,
    'ticket_state' as field,
    'is' as operator,
    value
from (
    select slt_code, 'start' as condition, 'new' as value from reference.slt_definition
    union all
    select
        'first_reply_time' as slt_code,
        'stop' as condition,
        status || reply as value
    from unnest(['new', 'open', 'pending', 'hold', 'solved', 'closed']) as statuses (status)
    cross join unnest(['', '_replied']) as replies (reply)
    where reply = '_replied' or status in ('solved', 'closed')
    union all
    select
        slt_code,
        condition,
        status || reply as value
    from (
        values
        ('agent_work_time', 'pause', 'pending'), ('agent_work_time', 'pause', 'hold'),
        ('agent_work_time', 'pause', 'solved'), ('agent_work_time', 'stop', 'closed'),
        ('requester_wait_time', 'pause', 'pending'), ('requester_wait_time', 'pause', 'solved'),
        ('requester_wait_time', 'stop', 'closed')
    ) as conditions (slt_code, condition, status)
    cross join unnest(['', '_replied']) as replies (reply)
);

create macro zendesk_priority(name) as
cast(list_position(['urgent', 'high', 'normal', 'low'], name) as integer);

create table reference.slt_target as
select
    metric as slt_code,
    1 as slt_version,
    cast(null as varchar) as contract_code,
    cast(null as varchar) as business_unit_code,
    cast(null as varchar) as service_code,
    zendesk_priority(priority) as priority,
    cast(null as varchar) as starts_within_calendar_code,
    case when not business_hours then 'always' end as calendar_code,
    cast(target * 60 as integer) as target_seconds,
    0 as tolerance_seconds,
    date '2015-01-01' as effective_from,
    cast(null as date) as effective_to
from zendesk.sla_policy_metric_history
where metric in (select slt_code from reference.slt_definition);
