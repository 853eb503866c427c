-- An opening or closing at a wall clock reading that a change of the zone's offset skips or repeats: it has
-- no single instant, and engines choose differently. Move it out of the changed hour.
with bounds as (
    select
        calendar_code,
        local_on,
        time_zone,
        {{ local_clock('local_on', 'opens_at_local') }} as local_at,
        opens_at as utc_at
    from {{ ref('int_calendar_segment') }}
    union all
    select
        calendar_code,
        local_on,
        time_zone,
        {{ local_clock('local_on', 'closes_at_local') }} as local_at,
        closes_at as utc_at
    from {{ ref('int_calendar_segment') }}
)

select *
from bounds
where
    {{ utc_to_local('utc_at', 'time_zone') }} <> local_at
    {%- for seconds in [1800, 3600, 7200] %}
    or {{ utc_to_local(add_seconds('utc_at', -seconds), 'time_zone') }} = local_at
    or {{ utc_to_local(add_seconds('utc_at', seconds), 'time_zone') }} = local_at
    {%- endfor %}
