-- A day with more open pieces than the lookup table has places for (raise clock_piece_count), or a day whose
-- running totals do not lead to the next day's: time would be lost silently.
with days as (
    select
        *,
        {% for number in range(1, clock_piece_count() | int + 1) -%}
        {{ '+ ' if not loop.first }}to_s_{{ number }} - from_s_{{ number }}
        {% endfor -%} as placed_open_seconds,
        {% for number in range(1, clock_piece_count() | int + 1) -%}
        {{ '+ ' if not loop.first }}is_active_{{ number }} * (to_s_{{ number }} - from_s_{{ number }})
        {% endfor -%} as placed_active_seconds,
        lead(open_before_seconds) over scope_days as next_open_before_seconds,
        lead(active_before_seconds) over scope_days as next_active_before_seconds,
        lead(day_number) over scope_days as next_day_number
    from {{ ref('int_clock_day') }}
    window scope_days as (partition by scope_id order by day_number)
)

select
    scope_id,
    day_on,
    open_seconds,
    placed_open_seconds,
    active_seconds,
    placed_active_seconds
from days
where
    placed_open_seconds <> open_seconds
    or placed_active_seconds <> active_seconds
    or next_open_before_seconds <> open_before_seconds + open_seconds
    or next_active_before_seconds <> active_before_seconds + active_seconds
    or next_day_number <> day_number + 1
    or open_seconds > 86400
    or active_seconds > open_seconds
