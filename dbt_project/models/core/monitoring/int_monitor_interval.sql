with monitors as (
    select * from {{ ref('stg_datadog__monitors') }}
),

transitions as (
    select * from {{ ref('stg_datadog__monitor_transitions') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

known as (
    select
        transitions.monitor_id,
        {{ whole_second('transitions.transition_at') }} as from_at,
        transitions.transition_at,
        transitions.monitor_transition_id,
        case
            when transitions.destination_state in ('OK', 'Warn') then 'up'
            when transitions.destination_state = 'Alert' then 'down'
            else 'unknown'
        end as monitor_state,
        transitions.destination_state as source_state,
        transitions.batch_id
    from transitions
    inner join monitors on transitions.monitor_id = monitors.monitor_id
    cross join run_context
    where transitions.transition_at < run_context.as_of_at
),

first_known as (
    select
        monitor_id,
        min(from_at) as first_at
    from known
    group by monitor_id
),

-- silence is not health: from its creation to its first word a monitor is unknown
silent as (
    select
        monitors.monitor_id,
        {{ whole_second('monitors.created_at') }} as from_at,
        monitors.created_at as transition_at,
        cast(null as varchar) as monitor_transition_id,
        'unknown' as monitor_state,
        cast(null as varchar) as source_state,
        monitors.batch_id
    from monitors
    cross join run_context
    left join first_known on monitors.monitor_id = first_known.monitor_id
    where
        {{ whole_second('monitors.created_at') }} < coalesce(first_known.first_at, run_context.as_of_at)
),

combined as (
    select * from known
    union all
    select * from silent
),

intervals as (
    select
        combined.monitor_id,
        monitors.service_code,
        combined.from_at,
        coalesce(
            lead(combined.from_at) over (
                partition by combined.monitor_id
                order by combined.from_at, combined.transition_at, combined.monitor_transition_id nulls first
            ),
            run_context.as_of_at
        ) as to_at,
        combined.monitor_state,
        combined.source_state,
        combined.batch_id
    from combined
    inner join monitors on combined.monitor_id = monitors.monitor_id
    cross join run_context
),

final as (
    select
        monitor_id,
        service_code,
        from_at,
        to_at,
        monitor_state,
        source_state,
        {{ seconds_between('from_at', 'to_at') }} as interval_seconds,
        batch_id
    from intervals
    where to_at > from_at
)

select * from final
