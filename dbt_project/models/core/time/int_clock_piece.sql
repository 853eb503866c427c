with scopes as (
    select * from {{ ref('int_clock_scope') }}
),

calendar_segments as (
    select * from {{ ref('int_calendar_segment') }}
),

exclusion_windows as (
    select * from {{ ref('int_exclusion_window') }}
),

horizon as (
    select * from {{ ref('int_clock_horizon') }}
),

days as (
    select {{ date_spine('horizon.from_on', add_days('horizon.to_on', 1)) }} as day_on
    from horizon
),

bounds as (
    select
        scopes.scope_id,
        {{ epoch_seconds('calendar_segments.opens_at') }} as at_s,
        1 as open_step,
        0 as excluded_step
    from scopes
    inner join calendar_segments on scopes.calendar_code = calendar_segments.calendar_code
    union all
    select
        scopes.scope_id,
        {{ epoch_seconds('calendar_segments.closes_at') }} as at_s,
        -1 as open_step,
        0 as excluded_step
    from scopes
    inner join calendar_segments on scopes.calendar_code = calendar_segments.calendar_code
    union all
    select
        scopes.scope_id,
        {{ epoch_seconds('exclusion_windows.starts_at') }} as at_s,
        0 as open_step,
        1 as excluded_step
    from scopes
    inner join exclusion_windows
        on
            scopes.exclusion_scope_code = exclusion_windows.exclusion_scope_code
            and scopes.audience = exclusion_windows.audience
    union all
    select
        scopes.scope_id,
        {{ epoch_seconds('exclusion_windows.ends_at') }} as at_s,
        0 as open_step,
        -1 as excluded_step
    from scopes
    inner join exclusion_windows
        on
            scopes.exclusion_scope_code = exclusion_windows.exclusion_scope_code
            and scopes.audience = exclusion_windows.audience
    union all
    select
        scopes.scope_id,
        {{ epoch_seconds('cast(days.day_on as timestamp)') }} as at_s,
        0 as open_step,
        0 as excluded_step
    from scopes
    cross join days
),

steps as (
    select
        scope_id,
        at_s,
        sum(open_step) as open_step,
        sum(excluded_step) as excluded_step
    from bounds
    group by scope_id, at_s
),

levels as (
    select
        scope_id,
        at_s as from_s,
        lead(at_s) over (partition by scope_id order by at_s) as to_s,
        sum(open_step) over sweep as open_level,
        sum(excluded_step) over sweep as excluded_level
    from steps
    window sweep as (
        partition by scope_id order by at_s rows between unbounded preceding and current row
    )
),

-- only whole UTC days of the horizon: a piece outside it would not be cut at midnight
pieces as (
    select
        levels.scope_id,
        cast({{ int_div('levels.from_s', 86400) }} as integer) as day_number,
        levels.from_s,
        levels.to_s,
        levels.to_s - levels.from_s as open_seconds,
        case when levels.excluded_level > 0 then 0 else levels.to_s - levels.from_s end as active_seconds
    from levels
    cross join horizon
    where
        levels.open_level > 0
        and levels.to_s is not null
        and levels.from_s >= {{ epoch_seconds('cast(horizon.from_on as timestamp)') }}
        and levels.to_s <= {{ epoch_seconds('cast(horizon.to_on as timestamp)') }} + 86400
),

final as (
    select
        scope_id,
        day_number,
        cast(row_number() over (partition by scope_id, day_number order by from_s) as integer)
            as piece_number,
        from_s,
        to_s,
        cast(open_seconds as bigint) as open_seconds,
        cast(active_seconds as bigint) as active_seconds,
        cast(coalesce(sum(open_seconds) over earlier, 0) as bigint) as open_before_seconds,
        cast(coalesce(sum(active_seconds) over earlier, 0) as bigint) as active_before_seconds
    from pieces
    window earlier as (
        partition by scope_id order by from_s rows between unbounded preceding and 1 preceding
    )
)

select * from final
