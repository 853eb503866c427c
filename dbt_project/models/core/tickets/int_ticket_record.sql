with incidents as (
    select * from {{ ref('stg_servicenow__incidents') }}
),

log_events as (
    select * from {{ ref('stg_servicenow_event_log__incident_events') }}
),

jira_issues as (
    select * from {{ ref('stg_jira__issues') }}
),

jira_cycles as (
    select * from {{ ref('int_jira_sla_cycle') }}
    where phase = 'resolution'
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

servicenow as (
    select
        'servicenow' as source_system,
        number as ticket_number,
        opened_at,
        priority,
        made_sla,
        reopen_count,
        contact_type as channel,
        resolved_at as source_resolved_at,
        closed_at as source_closed_at,
        batch_id
    from incidents
    qualify row_number() over (
            partition by number order by sys_updated_at desc nulls last, incident_id asc
        ) = 1
),

-- the log repeats the record's header on every event; the last event holds what the record says in the end
event_log as (
    select
        'servicenow_event_log' as source_system,
        number as ticket_number,
        min(opened_at) over (partition by number) as opened_at,
        priority,
        made_sla,
        reopen_count,
        contact_type as channel,
        resolved_at as source_resolved_at,
        closed_at as source_closed_at,
        batch_id
    from log_events
    qualify row_number() over (
            partition by number
            order by sys_updated_at desc nulls last, sys_mod_count desc nulls last, source_row_number desc
        ) = 1
),

-- Jira has no one flag: it was kept when no cycle of Time to resolution was breached
jira_flags as (
    select
        ticket_key,
        not bool_or(is_breached) as made_sla
    from jira_cycles
    group by ticket_key
),

jira as (
    select
        'jira' as source_system,
        jira_issues.issue_key as ticket_number,
        {{ whole_second('jira_issues.created_at') }} as opened_at,
        jira_issues.priority,
        jira_flags.made_sla,
        cast(null as integer) as reopen_count,
        cast(null as varchar) as channel,
        {{ whole_second('jira_issues.resolved_at') }} as source_resolved_at,
        cast(null as timestamp) as source_closed_at,
        jira_issues.batch_id
    from jira_issues
    left join jira_flags on 'jira:' || jira_issues.issue_key = jira_flags.ticket_key
    qualify row_number() over (
            partition by jira_issues.issue_key
            order by jira_issues.updated_at desc nulls last, jira_issues.issue_id asc
        ) = 1
),

unioned as (
    select * from servicenow
    union all
    select * from event_log
    union all
    select * from jira
),

known_by_as_of as (
    select
        unioned.source_system || ':' || unioned.ticket_number as ticket_key,
        unioned.*
    from unioned
    cross join run_context
    where unioned.opened_at <= run_context.as_of_at
)

select * from known_by_as_of
