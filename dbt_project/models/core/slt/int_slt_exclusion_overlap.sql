with intervals as (
    select * from {{ ref('int_slt_interval') }}
    where clock_role = 'running'
),

telescoped as (
    select * from {{ ref('int_slt_telescoped_interval') }}
    where paused_seconds = 0
),

ticket_ids as (
    select * from {{ ref('int_ticket_id') }}
),

conditions_met as (
    select * from {{ ref('int_slt_situation') }}
),

scopes as (
    select * from {{ ref('int_clock_scope') }}
),

pieces as (
    select * from {{ ref('int_exclusion_piece') }}
),

clock_days as (
    select * from {{ ref('int_clock_day') }}
),

running as (
    select
        ticket_slt_key,
        scope_id,
        from_at,
        to_at
    from intervals
    union all
    select
        ticket_ids.ticket_key || ':' || conditions_met.slt_code as ticket_slt_key,
        telescoped.scope_id,
        {{ clock_instant('telescoped.from_s') }} as from_at,
        {{ clock_instant('telescoped.to_s') }} as to_at
    from telescoped
    inner join ticket_ids on telescoped.ticket_id = ticket_ids.ticket_id
    inner join conditions_met
        on
            telescoped.situation_id = conditions_met.situation_id
            and telescoped.slot_number = conditions_met.slot_number
),

-- a stretch of the clock stands beside the exclusions of every audience, its own and the others
overlapping as (
    select
        running.ticket_slt_key,
        running.scope_id,
        pieces.audience,
        scopes.audience = pieces.audience as is_applied,
        pieces.exclusion_id,
        pieces.covering_count,
        pieces.is_credited,
        case when pieces.from_at > running.from_at then pieces.from_at else running.from_at end as from_at,
        case when pieces.to_at < running.to_at then pieces.to_at else running.to_at end as to_at
    from running
    inner join scopes on running.scope_id = scopes.scope_id
    inner join pieces
        on
            scopes.exclusion_scope_code = pieces.exclusion_scope_code
            and running.to_at > pieces.from_at
            and running.from_at < pieces.to_at
),

-- seconds inside are the reading at the end less the reading at the start: two rows, one equi-join
ends as (
    select
        ticket_slt_key,
        scope_id,
        audience,
        is_applied,
        exclusion_id,
        covering_count,
        is_credited,
        from_at as point_at,
        -1 as reading_sign
    from overlapping
    union all
    select
        ticket_slt_key,
        scope_id,
        audience,
        is_applied,
        exclusion_id,
        covering_count,
        is_credited,
        to_at as point_at,
        1 as reading_sign
    from overlapping
),

read_off as (
    select
        ends.*,
        ends.reading_sign * {{ clock_reading('clock_days', epoch_seconds('ends.point_at'), 'open') }}
            as signed_seconds
    from ends
    inner join clock_days
        on
            ends.scope_id = clock_days.scope_id
            and {{ day_number('ends.point_at') }} = clock_days.day_number
),

final as (
    select
        ticket_slt_key,
        audience,
        exclusion_id,
        bool_or(is_applied) as is_applied,
        cast(sum(signed_seconds) as bigint) as covered_seconds,
        cast(sum(case when is_credited then signed_seconds else 0 end) as bigint) as removed_seconds,
        cast(sum(case when covering_count = 1 then signed_seconds else 0 end) as bigint) as sole_seconds
    from read_off
    group by ticket_slt_key, audience, exclusion_id
)

select * from final
