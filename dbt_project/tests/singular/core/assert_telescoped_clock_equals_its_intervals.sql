-- A clock whose telescoped totals or breach instants differ from those of its intervals, class by class: the two
-- ways to the figures share the lookup table and nothing else.
{{ config(meta={'dagster': {'ref': {'name': 'int_slt_result'}}}) }}
with intervals as (
    select
        ticket_slt_key,
        sum(wall_seconds) as wall_seconds,
        sum(paused_seconds) as paused_seconds,
        sum(outside_calendar_seconds) as outside_calendar_seconds,
        sum(excluded_seconds) as excluded_seconds,
        sum(net_seconds) as net_seconds,
        sum(stopped_seconds) as stopped_seconds
    from {{ ref('int_slt_interval') }}
    group by ticket_slt_key
)

select
    results.ticket_slt_key,
    results.net_seconds,
    intervals.net_seconds as interval_net_seconds,
    results.breach_at,
    breaches.breach_at as interval_breach_at
from {{ ref('int_slt_result') }} as results
inner join {{ ref('int_slt_assignment') }} as assignments on results.ticket_slt_key = assignments.ticket_slt_key
left join intervals on results.ticket_slt_key = intervals.ticket_slt_key
left join {{ ref('int_slt_breach') }} as breaches on results.ticket_slt_key = breaches.ticket_slt_key
where
    results.wall_seconds <> coalesce(intervals.wall_seconds, 0)
    or results.paused_seconds <> coalesce(intervals.paused_seconds, 0)
    or results.outside_calendar_seconds <> coalesce(intervals.outside_calendar_seconds, 0)
    or results.excluded_seconds <> coalesce(intervals.excluded_seconds, 0)
    or results.net_seconds <> coalesce(intervals.net_seconds, 0)
    or results.stopped_seconds <> coalesce(intervals.stopped_seconds, 0)
    or results.original_breach_at is distinct from breaches.original_breach_at
    or results.breach_at is distinct from breaches.breach_at
    or results.start_at <> assignments.start_at
    or results.end_at <> assignments.end_at
    or results.target_seconds <> assignments.target_seconds
    or results.calendar_code <> assignments.calendar_code
    or results.team_code is distinct from assignments.team_code
    or results.stop_at is distinct from assignments.stop_at
