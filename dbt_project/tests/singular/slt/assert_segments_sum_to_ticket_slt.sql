-- A ticket whose segments do not sum to its totals class by class: the explanation would not explain the
-- figure.
{{ config(meta={'dagster': {'ref': {'name': 'fct_slt_clock_segment'}}}) }}
with segments as (
    select
        ticket_slt_key,
        sum(case when clock_class = 'paused' then seconds else 0 end) as paused_seconds,
        sum(case when clock_class = 'outside_calendar' then seconds else 0 end) as outside_calendar_seconds,
        sum(case when clock_class = 'excluded' then seconds else 0 end) as excluded_seconds,
        sum(case when clock_class = 'net' then seconds else 0 end) as net_seconds,
        sum(case when clock_class = 'stopped' then seconds else 0 end) as stopped_seconds,
        sum(seconds) as wall_seconds
    from {{ ref('fct_slt_clock_segment') }}
    group by ticket_slt_key
)

select
    ticket_slts.ticket_slt_key,
    ticket_slts.wall_seconds,
    segments.wall_seconds as segment_wall_seconds
from {{ ref('fct_ticket_slt') }} as ticket_slts
left join segments on ticket_slts.ticket_slt_key = segments.ticket_slt_key
where
    ticket_slts.paused_seconds <> coalesce(segments.paused_seconds, 0)
    or ticket_slts.outside_calendar_seconds <> coalesce(segments.outside_calendar_seconds, 0)
    or ticket_slts.excluded_seconds <> coalesce(segments.excluded_seconds, 0)
    or ticket_slts.net_seconds <> coalesce(segments.net_seconds, 0)
    or ticket_slts.stopped_seconds <> coalesce(segments.stopped_seconds, 0)
    or ticket_slts.wall_seconds <> coalesce(segments.wall_seconds, 0)
