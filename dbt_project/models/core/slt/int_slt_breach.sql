{{ config(materialized='by_ticket') }}
with assignments as (
    select * from {{ ref('int_slt_assignment') }}
    where {{ for_tickets('ticket_id') }}
),

intervals as (
    select * from {{ ref('int_slt_interval') }}
    where {{ for_tickets('ticket_id') }}
),

clock_days as (
    select * from {{ ref('int_clock_day') }}
),

pieces as (
    select * from {{ ref('int_clock_piece') }}
),

-- the interval in which a running total goes beyond the target: at target when it begins or later, strictly
-- beyond it when it ends. A clock that reaches its target exactly as it is paused breaches when it resumes.
crossings as (
    select
        'business' as clock,
        intervals.ticket_slt_key,
        intervals.ticket_id,
        intervals.scope_id,
        intervals.from_at,
        assignments.target_seconds - intervals.business_before_seconds as owed_seconds
    from intervals
    inner join assignments on intervals.ticket_slt_key = assignments.ticket_slt_key
    where
        intervals.business_before_seconds <= assignments.target_seconds
        and intervals.business_before_seconds + intervals.excluded_seconds + intervals.net_seconds
        > assignments.target_seconds
    union all
    select
        'net' as clock,
        intervals.ticket_slt_key,
        intervals.ticket_id,
        intervals.scope_id,
        intervals.from_at,
        assignments.target_seconds - intervals.net_before_seconds as owed_seconds
    from intervals
    inner join assignments on intervals.ticket_slt_key = assignments.ticket_slt_key
    where
        intervals.net_before_seconds <= assignments.target_seconds
        and intervals.net_before_seconds + intervals.net_seconds > assignments.target_seconds
),

-- the reading of the scope's clock at which the target is reached
readings as (
    select
        crossings.clock,
        crossings.ticket_slt_key,
        crossings.ticket_id,
        crossings.scope_id,
        crossings.owed_seconds + case crossings.clock
            when 'business' then {{ clock_reading('clock_days', epoch_seconds('crossings.from_at'), 'open') }}
            else {{ clock_reading('clock_days', epoch_seconds('crossings.from_at'), 'active') }}
        end as reading_seconds
    from crossings
    inner join clock_days
        on
            crossings.scope_id = clock_days.scope_id
            and {{ day_number('crossings.from_at') }} = clock_days.day_number
),

-- inverse of the clock: the last piece that takes the reading further and begins at or before it
instants as (
    select
        readings.ticket_slt_key,
        readings.ticket_id,
        readings.clock,
        {{ from_epoch_seconds(
            'pieces.from_s + readings.reading_seconds - pieces.open_before_seconds'
        ) }} as breach_at
    from (
        select * from readings
        where clock = 'business'
    ) as readings
    {{ asof_join(
        'pieces', 'pieces', 'readings.scope_id', 'scope_id', 'readings.reading_seconds', 'open_before_seconds'
    ) }}
    union all
    select
        readings.ticket_slt_key,
        readings.ticket_id,
        readings.clock,
        {{ from_epoch_seconds(
            'pieces.from_s + readings.reading_seconds - pieces.active_before_seconds'
        ) }} as breach_at
    from (
        select * from readings
        where clock = 'net'
    ) as readings
    {{ asof_join(
        '(select * from pieces where active_seconds > 0)', 'pieces',
        'readings.scope_id', 'scope_id', 'readings.reading_seconds', 'active_before_seconds'
    ) }}
),

final as (
    select
        ticket_slt_key,
        ticket_id,
        max(case when clock = 'business' then breach_at end) as original_breach_at,
        max(case when clock = 'net' then breach_at end) as breach_at
    from instants
    group by ticket_slt_key, ticket_id
)

select * from final
