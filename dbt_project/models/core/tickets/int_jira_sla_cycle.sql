with issues as (
    select * from {{ ref('stg_jira__issues') }}
),

slas as (
    select
        'jira:' || issue_key as ticket_key,
        'response' as phase,
        first_response_sla as sla,
        batch_id
    from issues
    where first_response_sla is not null
    union all
    select
        'jira:' || issue_key as ticket_key,
        'resolution' as phase,
        resolution_sla as sla,
        batch_id
    from issues
    where resolution_sla is not null
),

cycles as (
    select
        ticket_key,
        phase,
        {{ json_elements(json_text('sla', '$.completedCycles')) }} as sla_cycle,
        batch_id
    from slas
    union all
    select
        ticket_key,
        phase,
        {{ json_text('sla', '$.ongoingCycle') }} as sla_cycle,
        batch_id
    from slas
    where {{ json_text('sla', '$.ongoingCycle') }} is not null
),

read_cycles as (
    select
        ticket_key,
        phase,
        cast({{ json_text('sla_cycle', '$.startTime.epochMillis') }} as bigint) as start_milliseconds,
        cast({{ json_text('sla_cycle', '$.stopTime.epochMillis') }} as bigint) as stop_milliseconds,
        cast({{ json_text('sla_cycle', '$.paused') }} as boolean) as is_paused,
        cast({{ json_text('sla_cycle', '$.breached') }} as boolean) as is_breached,
        cast({{ json_text('sla_cycle', '$.goalDuration.millis') }} as bigint) as goal_milliseconds,
        cast({{ json_text('sla_cycle', '$.elapsedTime.millis') }} as bigint) as elapsed_milliseconds,
        batch_id
    from cycles
),

final as (
    select
        ticket_key,
        phase,
        cast(row_number() over (
            partition by ticket_key, phase order by start_milliseconds, stop_milliseconds nulls last
        ) as integer) as cycle_number,
        {{ from_epoch_seconds(int_div('start_milliseconds', 1000)) }} as started_at,
        {{ from_epoch_seconds(int_div('stop_milliseconds', 1000)) }} as stopped_at,
        stop_milliseconds is null as is_ongoing,
        is_paused,
        is_breached,
        {{ int_div('goal_milliseconds', 1000) }} as goal_seconds,
        {{ int_div('elapsed_milliseconds', 1000) }} as elapsed_seconds,
        batch_id
    from read_cycles
)

select * from final
