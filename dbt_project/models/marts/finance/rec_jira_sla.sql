with ticket_slts as (
    select *
    from {{ ref('fct_ticket_slt') }}
    where source_system = 'jira'
),

cycles as (
    select * from {{ ref('int_jira_sla_cycle') }}
),

events as (
    select * from {{ ref('int_ticket_event') }}
),

batches as (
    select * from {{ ref('int_extract_batch') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

-- with the seconds Jira's clock stood before each cycle, after the one before
followed_cycles as (
    select
        *,
        {{ seconds_between(
            'lag(stopped_at) over (partition by ticket_key, phase order by cycle_number)', 'started_at'
        ) }} as stopped_seconds
    from cycles
),

source_slas as (
    select
        ticket_key,
        phase,
        count(*) as cycle_count,
        sum(elapsed_seconds) as elapsed_seconds,
        max_by(goal_seconds, cycle_number) as goal_seconds,
        bool_and(stopped_at is not null) as is_stopped,
        max(stopped_at) as stopped_at,
        bool_or(is_breached) as is_breached,
        coalesce(sum(stopped_seconds), 0) as stopped_seconds,
        max(batch_id) as batch_id
    from followed_cycles
    group by ticket_key, phase
),

event_counts as (
    select
        ticket_key,
        count(*) as event_count
    from events
    group by ticket_key
),

compared as (
    select
        coalesce(ticket_slts.ticket_key, source_slas.ticket_key) as ticket_key,
        coalesce(ticket_slts.phase, source_slas.phase) as phase,
        ticket_slts.slt_code,
        ticket_slts.slt_status,
        ticket_slts.priority,
        ticket_slts.target_seconds,
        source_slas.goal_seconds as source_goal_seconds,
        ticket_slts.business_seconds,
        source_slas.elapsed_seconds as source_elapsed_seconds,
        ticket_slts.business_seconds - source_slas.elapsed_seconds as difference_seconds,
        coalesce(source_slas.cycle_count, 0) as source_cycle_count,
        ticket_slts.stop_at,
        case when source_slas.is_stopped then source_slas.stopped_at end as source_stopped_at,
        ticket_slts.is_breached_raw,
        source_slas.is_breached as is_source_breached,
        ticket_slts.is_breached_raw = source_slas.is_breached as is_agreeing,
        coalesce(source_slas.stopped_seconds, 0) as reopening_seconds,
        source_slas.batch_id as source_batch_id,
        coalesce(ticket_slts.batch_id, source_slas.batch_id) as batch_id
    from ticket_slts
    full outer join source_slas
        on
            ticket_slts.ticket_key = source_slas.ticket_key
            and ticket_slts.phase = source_slas.phase
),

-- a clock that goes on was read when the issue was extracted, ours goes to the run's now
counted as (
    select
        compared.*,
        coalesce(event_counts.event_count, 0) as tolerance_seconds,
        coalesce(greatest({{ seconds_between('batches.started_at', 'run_context.as_of_at') }}, 0), 0)
            as read_before_seconds,
        coalesce(greatest({{ seconds_between('run_context.as_of_at', 'batches.finished_at') }}, 0), 0)
            as read_after_seconds
    from compared
    cross join run_context
    left join event_counts on compared.ticket_key = event_counts.ticket_key
    left join batches on compared.source_batch_id = batches.batch_id
),

-- most that our clock may be below and above Jira's: cut milliseconds, and the stretches Jira's had stopped in between
bounded as (
    select
        *,
        -tolerance_seconds as lowest_seconds,
        tolerance_seconds + reopening_seconds as highest_seconds
    from counted
),

final as (
    select
        cast(ticket_key as varchar) as ticket_key,
        cast(phase as varchar) as phase,
        cast(slt_code as varchar) as slt_code,
        cast(slt_status as varchar) as slt_status,
        cast(priority as integer) as priority,
        cast(target_seconds as bigint) as target_seconds,
        cast(source_goal_seconds as bigint) as source_goal_seconds,
        cast(business_seconds as bigint) as business_seconds,
        cast(source_elapsed_seconds as bigint) as source_elapsed_seconds,
        cast(difference_seconds as bigint) as difference_seconds,
        cast(tolerance_seconds as bigint) as tolerance_seconds,
        cast(source_cycle_count as bigint) as source_cycle_count,
        cast(stop_at as timestamp) as stop_at,
        cast(source_stopped_at as timestamp) as source_stopped_at,
        cast(is_breached_raw as boolean) as is_breached_raw,
        cast(is_source_breached as boolean) as is_source_breached,
        cast(is_agreeing as boolean) as is_agreeing,
        cast(case
            when slt_code is null then 'missing_result'
            when slt_status = 'invalid' then 'invalid'
            when slt_status = 'canceled' then 'canceled'
            when source_cycle_count = 0 then 'no_source_sla'
            when
                stop_at is null and source_stopped_at is null
                and difference_seconds >= lowest_seconds - read_after_seconds
                and difference_seconds <= highest_seconds + read_before_seconds
                then 'not_yet_stopped'
            when stop_at is null and source_stopped_at is null then 'clock_differs'
            when
                stop_at is null or source_stopped_at is null
                or abs({{ seconds_between('stop_at', 'source_stopped_at') }}) > 1
                then 'stop_differs'
            when
                source_cycle_count > 1
                and difference_seconds >= lowest_seconds and difference_seconds <= highest_seconds
                then 'reopened'
            when abs(difference_seconds) > tolerance_seconds then 'clock_differs'
            when target_seconds <> source_goal_seconds then 'goal_differs'
            else 'matched'
        end as varchar) as comparison_status,
        cast(batch_id as varchar) as batch_id
    from bounded
)

select * from final
