{{ config(materialized='by_day') }}
{%- set first_day = clock_first_day() -%}
{%- set piece_numbers = range(1, clock_piece_count() | int + 1) -%}
-- depends_on: {{ ref('int_clock_change') }}
with scopes as (
    select * from {{ ref('int_clock_scope') }}
),

pieces as (
    select * from {{ ref('int_clock_piece') }}
    {% if first_day %}where day_number >= {{ day_number("date '" ~ first_day ~ "'") }}{% endif %}
),

horizon as (
    select * from {{ ref('int_clock_horizon') }}
),

days as (
    select {{ date_spine("date '" ~ first_day ~ "'" if first_day else 'horizon.from_on', 'horizon.to_on') }} as day_on
    from horizon
),

scope_days as (
    select
        scopes.scope_id,
        {{ day_number('days.day_on') }} as day_number,
        days.day_on
    from scopes
    cross join days
),

wide as (
    select
        scope_id,
        day_number,
        {% for number in piece_numbers -%}
        max(case when piece_number = {{ number }} then from_s end) as from_s_{{ number }},
        max(case when piece_number = {{ number }} then to_s end) as to_s_{{ number }},
        max(case when piece_number = {{ number }} and active_seconds > 0 then 1 end) as is_active_{{ number }},
        {% endfor -%}
        sum(open_seconds) as open_seconds,
        sum(active_seconds) as active_seconds
    from pieces
    group by scope_id, day_number
),

-- what the days that are kept add up to
kept as (
    {{ clock_kept(this, first_day) }}
),

final as (
    select
        scope_days.scope_id,
        scope_days.day_number,
        scope_days.day_on,
        {% for number in piece_numbers -%}
        coalesce(wide.from_s_{{ number }}, 0) as from_s_{{ number }},
        coalesce(wide.to_s_{{ number }}, 0) as to_s_{{ number }},
        coalesce(wide.is_active_{{ number }}, 0) as is_active_{{ number }},
        {% endfor -%}
        cast(coalesce(wide.open_seconds, 0) as bigint) as open_seconds,
        cast(coalesce(wide.active_seconds, 0) as bigint) as active_seconds,
        cast(
            coalesce(kept.open_seconds, 0) + coalesce(sum(wide.open_seconds) over earlier, 0) as bigint
        ) as open_before_seconds,
        cast(
            coalesce(kept.active_seconds, 0) + coalesce(sum(wide.active_seconds) over earlier, 0) as bigint
        ) as active_before_seconds
    from scope_days
    left join wide
        on
            scope_days.scope_id = wide.scope_id
            and scope_days.day_number = wide.day_number
    left join kept on scope_days.scope_id = kept.scope_id
    window earlier as (
        partition by scope_days.scope_id
        order by scope_days.day_number
        rows between unbounded preceding and 1 preceding
    )
)

select * from final
