-- Seven more clocks, always in business time, for what dbt_zendesk calls work time: the minutes a ticket spent in sets
-- of statuses until it was closed. They have no target; the figure in slt_target is never reached.

create table reference.work_time as
select *
from (
    values
    ('agent_wait', ['pending']), ('requester_wait', ['new', 'open', 'hold']),
    ('solve', ['new', 'open', 'hold', 'pending']), ('agent_work', ['new', 'open']), ('on_hold', ['hold']),
    ('new_status', ['new']), ('open_status', ['open'])
) as work_time (name, statuses);

insert into reference.slt_definition by name
select
    definition.* replace ('work_time_' || work_time.name as slt_code, 'work_time_' || work_time.name as slt_name)
from reference.work_time as work_time
inner join reference.slt_definition as definition on definition.slt_code = 'agent_work_time';

insert into reference.slt_condition by name
with states as (
    select
        status,
        status || reply as value
    from unnest(['new', 'open', 'pending', 'hold', 'solved', 'closed']) as statuses (status)
    cross join unnest(['', '_replied']) as replies (reply)
),

conditions as (
    select
        work_time.name,
        'start' as condition,
        'new' as value
    from reference.work_time as work_time
    union all
    select
        work_time.name,
        case when states.status = 'closed' then 'stop' else 'pause' end as condition,
        states.value
    from reference.work_time as work_time
    inner join states on not list_contains(work_time.statuses, states.status)
)

select
    'work_time_' || name as slt_code,
    1 as slt_version,
    condition,
    cast(row_number() over (partition by name, condition order by value) as integer) as clause,
    'ticket_state' as field,
    'is' as operator,
    value
from conditions;

insert into reference.slt_target by name
select
    'work_time_' || work_time.name as slt_code,
    1 as slt_version,
    cast(priorities.priority as integer) as priority,
    1000000000 as target_seconds,
    0 as tolerance_seconds,
    date '2015-01-01' as effective_from
from reference.work_time as work_time
cross join range(1, 5) as priorities (priority);
