with intervals as (
    select * from {{ ref('int_slt_interval') }}
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

-- a stretch of the clock stands beside the exclusions of every audience, its own and the others
overlapping as (
    select
        intervals.ticket_slt_key,
        intervals.scope_id,
        pieces.audience,
        scopes.audience = pieces.audience as is_applied,
        pieces.exclusion_id,
        pieces.covering_count,
        pieces.is_credited,
        case when pieces.from_at > intervals.from_at then pieces.from_at else intervals.from_at end
            as from_at,
        case when pieces.to_at < intervals.to_at then pieces.to_at else intervals.to_at end as to_at
    from intervals
    inner join scopes on intervals.scope_id = scopes.scope_id
    inner join pieces
        on
            scopes.exclusion_scope_code = pieces.exclusion_scope_code
            and intervals.to_at > pieces.from_at
            and intervals.from_at < pieces.to_at
    where intervals.clock_role = 'running'
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
