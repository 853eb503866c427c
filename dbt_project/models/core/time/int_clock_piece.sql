{{ config(materialized='by_day') }}
{%- set first_day = clock_first_day() -%}
{%- set from_on = "date '" ~ first_day ~ "'" if first_day else 'horizon.from_on' -%}
{%- set first_at = "cast(date '" ~ first_day ~ "' as timestamp)" -%}
-- depends_on: {{ ref('int_clock_change') }}
with scopes as (
    select * from {{ ref('int_clock_scope') }}
),

-- what reaches over the first midnight is cut there, as every piece is at every midnight
calendar_segments as (
    {% if first_day -%}
    select
        calendar_code,
        greatest(opens_at, {{ first_at }}) as opens_at,
        closes_at
    from {{ ref('int_calendar_segment') }}
    where closes_at > {{ first_at }}
    {%- else -%}
    select * from {{ ref('int_calendar_segment') }}
    {%- endif %}
),

exclusion_windows as (
    {% if first_day -%}
    select
        exclusion_scope_code,
        audience,
        greatest(starts_at, {{ first_at }}) as starts_at,
        ends_at
    from {{ ref('int_exclusion_window') }}
    where ends_at > {{ first_at }}
    {%- else -%}
    select * from {{ ref('int_exclusion_window') }}
    {%- endif %}
),

horizon as (
    select * from {{ ref('int_clock_horizon') }}
),

days as (
    select {{ date_spine(from_on, add_days('horizon.to_on', 1)) }} as day_on
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

-- what the days that are kept add up to
kept as (
    {{ clock_kept(this, first_day) }}
),

final as (
    select
        pieces.scope_id,
        pieces.day_number,
        cast(row_number() over (partition by pieces.scope_id, pieces.day_number order by pieces.from_s) as integer)
            as piece_number,
        pieces.from_s,
        pieces.to_s,
        cast(pieces.open_seconds as bigint) as open_seconds,
        cast(pieces.active_seconds as bigint) as active_seconds,
        cast(
            coalesce(kept.open_seconds, 0) + coalesce(sum(pieces.open_seconds) over earlier, 0) as bigint
        ) as open_before_seconds,
        cast(
            coalesce(kept.active_seconds, 0) + coalesce(sum(pieces.active_seconds) over earlier, 0) as bigint
        ) as active_before_seconds
    from pieces
    left join kept on pieces.scope_id = kept.scope_id
    window earlier as (
        partition by pieces.scope_id order by pieces.from_s rows between unbounded preceding and 1 preceding
    )
)

select * from final
