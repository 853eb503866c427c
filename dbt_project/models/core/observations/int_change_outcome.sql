-- What came of each change: failed by its closure code or by an incident after it, and the defects found after it.
with changes as (
    select * from {{ ref('int_change_request') }}
),

courses as (
    select * from {{ ref('int_ticket_course') }}
    where observation_status in ('observed', 'open') and service_code is not null
),

complexities as (
    select * from {{ ref('int_ticket_complexity') }}
),

rules as (
    select * from {{ ref('change_outcome_rule') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

-- an incident is held against one change, the last one of its service before it: of two that end at one instant the
-- one with the higher number
releases as (
    select
        change_request_key,
        source_system,
        service_code,
        planned_end_at
    from changes
    where is_implemented and service_code is not null
    qualify row_number() over (
            partition by service_code, planned_end_at
            order by change_number desc, change_request_key desc
        ) = 1
),

following as (
    select
        courses.ticket_key,
        courses.opened_at,
        courses.priority,
        complexities.performance_category,
        releases.change_request_key,
        releases.source_system,
        releases.planned_end_at
    from courses
    {{ asof_join(
        'releases', 'releases', 'courses.service_code', 'service_code', 'courses.opened_at', 'planned_end_at'
    ) }}
    inner join complexities on courses.ticket_key = complexities.ticket_key
    where releases.change_request_key is not null
),

caused as (
    select
        following.change_request_key,
        following.ticket_key,
        max(case when rules.outcome_code = 'failed' then 1 else 0 end) as is_failure,
        max(case when rules.outcome_code = 'defect' then 1 else 0 end) as is_defect
    from following
    inner join rules
        on
            following.source_system = rules.source_system
            and rules.close_code is null
            and following.performance_category = rules.category
            and following.priority <= rules.to_priority
            and cast(following.planned_end_at as date) >= rules.effective_from
            and cast(following.planned_end_at as date) <= coalesce(rules.effective_to, date '9999-12-31')
            and following.opened_at < {{ add_seconds('following.planned_end_at', 'rules.window_days * 86400') }}
    group by following.change_request_key, following.ticket_key
),

counted as (
    select
        change_request_key,
        sum(is_failure) as failure_incident_count,
        sum(is_defect) as defect_count
    from caused
    group by change_request_key
),

-- by the rules of the day a change ended: its verdict is out when the longest window is over
judged_by_code as (
    select
        changes.change_request_key,
        max(case when changes.close_code = rules.close_code and rules.outcome_code = 'failed' then 1 else 0 end)
            as is_failed_by_code,
        max(coalesce(rules.window_days, 0)) as window_days
    from changes
    inner join rules
        on
            changes.source_system = rules.source_system
            and cast(changes.planned_end_at as date) >= rules.effective_from
            and cast(changes.planned_end_at as date) <= coalesce(rules.effective_to, date '9999-12-31')
    group by changes.change_request_key
),

final as (
    select
        changes.change_request_key,
        changes.planned_end_at,
        changes.change_type,
        changes.risk_code,
        changes.service_code,
        changes.team_code,
        case
            when not changes.is_implemented then 'not_implemented'
            when judged_by_code.change_request_key is null then 'no_rule'
            when
                {{ add_seconds('changes.planned_end_at', 'judged_by_code.window_days * 86400') }}
                > run_context.as_of_at
                then 'window_open'
            else 'observed'
        end as observation_status,
        coalesce(judged_by_code.is_failed_by_code = 1, false) as is_failed_by_code,
        cast(coalesce(counted.failure_incident_count, 0) as bigint) as failure_incident_count,
        cast(coalesce(counted.defect_count, 0) as bigint) as defect_count,
        changes.batch_id
    from changes
    cross join run_context
    left join judged_by_code on changes.change_request_key = judged_by_code.change_request_key
    left join counted on changes.change_request_key = counted.change_request_key
)

select * from final
