with assignments as (
    select * from {{ ref('int_slt_assignment') }}
),

changes as (
    select * from {{ ref('int_slt_state_change') }}
),

scopes as (
    select * from {{ ref('int_clock_scope') }}
),

clock_days as (
    select * from {{ ref('int_clock_day') }}
),

-- a history that contradicts itself has no clock
counted as (
    select
        assignments.ticket_slt_key,
        assignments.ticket_key,
        assignments.slt_code,
        scopes.scope_id,
        assignments.end_at,
        changes.event_at,
        changes.ticket_state,
        case
            when
                changes.clock_role in ('stopped', 'canceled')
                and assignments.reopen_policy = 'running_through'
                then 'running'
            else changes.clock_role
        end as clock_role,
        changes.clock_role in ('stopped', 'canceled') as is_reopened_stretch,
        changes.is_inferred,
        changes.is_role_carried,
        changes.batch_id
    from assignments
    inner join changes
        on
            assignments.ticket_slt_key = changes.ticket_slt_key
            and assignments.end_at > changes.event_at
    left join scopes
        on
            assignments.calendar_code = scopes.calendar_code
            and coalesce(assignments.service_code, '') = scopes.service_code
            and assignments.exclusion_audience = scopes.audience
    where not assignments.has_history_contradiction
),

-- every change and the end of the clock, each read off once: one equi-join on scope and UTC day
points as (
    select
        ticket_slt_key,
        ticket_key,
        slt_code,
        scope_id,
        event_at as point_at,
        0 as is_end,
        ticket_state,
        clock_role,
        is_reopened_stretch,
        is_inferred,
        is_role_carried,
        batch_id
    from counted
    union all
    select distinct
        ticket_slt_key,
        ticket_key,
        slt_code,
        scope_id,
        end_at as point_at,
        1 as is_end,
        cast(null as varchar) as ticket_state,
        cast(null as varchar) as clock_role,
        cast(null as boolean) as is_reopened_stretch,
        cast(null as boolean) as is_inferred,
        cast(null as boolean) as is_role_carried,
        cast(null as varchar) as batch_id
    from counted
),

-- a point without a clock keeps its row and reads null: the day's balance is null, so the sum is, whatever
-- least and greatest make of the rest. A test refuses the row; dropped, it would lengthen its neighbour.
readings as (
    select
        points.*,
        {{ clock_reading('clock_days', epoch_seconds('points.point_at'), 'open') }} as open_reading_seconds,
        {{ clock_reading('clock_days', epoch_seconds('points.point_at'), 'active') }}
            as active_reading_seconds
    from points
    left join clock_days
        on
            points.scope_id = clock_days.scope_id
            and {{ day_number('points.point_at') }} = clock_days.day_number
),

stretches as (
    select
        *,
        point_at as from_at,
        lead(point_at) over clock as to_at,
        lead(open_reading_seconds) over clock - open_reading_seconds as open_seconds,
        lead(active_reading_seconds) over clock - active_reading_seconds as active_seconds
    from readings
    window clock as (partition by ticket_slt_key order by point_at, is_end)
),

read_off as (
    select
        *,
        {{ seconds_between('from_at', 'to_at') }} as wall_seconds
    from stretches
    where is_end = 0
),

classed as (
    select
        ticket_slt_key,
        ticket_key,
        slt_code,
        scope_id,
        from_at,
        to_at,
        ticket_state,
        clock_role,
        is_reopened_stretch,
        is_inferred,
        is_role_carried,
        wall_seconds,
        case when clock_role = 'paused' then wall_seconds else 0 end as paused_seconds,
        case when clock_role = 'running' then wall_seconds - open_seconds else 0 end
            as outside_calendar_seconds,
        case when clock_role = 'running' then open_seconds - active_seconds else 0 end as excluded_seconds,
        case when clock_role = 'running' then active_seconds else 0 end as net_seconds,
        batch_id
    from read_off
),

final as (
    select
        ticket_slt_key,
        ticket_key,
        slt_code,
        scope_id,
        cast(row_number() over (partition by ticket_slt_key order by from_at) as integer) as interval_number,
        from_at,
        to_at,
        ticket_state,
        clock_role,
        is_reopened_stretch,
        is_inferred,
        is_role_carried,
        cast(wall_seconds as bigint) as wall_seconds,
        cast(paused_seconds as bigint) as paused_seconds,
        cast(outside_calendar_seconds as bigint) as outside_calendar_seconds,
        cast(excluded_seconds as bigint) as excluded_seconds,
        cast(net_seconds as bigint) as net_seconds,
        cast(coalesce(sum(excluded_seconds + net_seconds) over earlier, 0) as bigint)
            as business_before_seconds,
        cast(coalesce(sum(net_seconds) over earlier, 0) as bigint) as net_before_seconds,
        batch_id
    from classed
    window earlier as (
        partition by ticket_slt_key order by from_at rows between unbounded preceding and 1 preceding
    )
)

select * from final
