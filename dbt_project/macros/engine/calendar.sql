{#- CTEs that lay calendars out over a range of days: one row per opening segment and local day, holidays left out,
    both ends in UTC. The CTEs calendars, segments, holidays and horizon (from_on, to_on) stand before it; the last
    one it gives is `opening_segments`. Endpoint by endpoint: the day a zone changes its offset is an hour longer or
    shorter between the two. -#}
{% macro opening_segments() -%}
local_days as (
    select {{ date_spine('horizon.from_on', 'horizon.to_on') }} as local_on
    from horizon
),

local_segments as (
    select
        segments.calendar_code,
        local_days.local_on,
        segments.opens_at_local,
        segments.closes_at_local,
        calendars.time_zone,
        {{ local_clock('local_days.local_on', 'segments.opens_at_local') }} as opens_local_at,
        {{ local_clock('local_days.local_on', 'segments.closes_at_local') }} as closes_local_at
    from segments
    inner join calendars on segments.calendar_code = calendars.calendar_code
    inner join local_days
        on
            {{ iso_weekday('local_days.local_on') }} = segments.iso_weekday
            and segments.effective_from <= local_days.local_on
            and local_days.local_on <= coalesce(segments.effective_to, date '9999-12-31')
    left join holidays
        on
            segments.calendar_code = holidays.calendar_code
            and local_days.local_on = holidays.holiday_on
    where holidays.calendar_code is null
),

opening_segments as (
    select
        calendar_code,
        local_on,
        opens_at_local,
        closes_at_local,
        time_zone,
        {{ local_to_utc('opens_local_at', 'time_zone') }} as opens_at,
        {{ local_to_utc('closes_local_at', 'time_zone') }} as closes_at
    from local_segments
)
{%- endmacro %}
