-- A ticket whose classes do not fill its span to the second: an interval was lost (its calendar or its day
-- was not found) or a second was counted twice.
{{ config(meta={'dagster': {'ref': {'name': 'fct_ticket_slt'}}}) }}
with results as (
    select
        ticket_slts.ticket_slt_key,
        ticket_slts.slt_status,
        ticket_slts.wall_seconds,
        ticket_slts.business_seconds,
        ticket_slts.paused_seconds
        + ticket_slts.outside_calendar_seconds
        + ticket_slts.excluded_seconds
        + ticket_slts.net_seconds
        + ticket_slts.stopped_seconds as class_seconds,
        ticket_slts.excluded_seconds + ticket_slts.net_seconds as clock_seconds,
        case
            when ticket_slts.slt_status = 'invalid' then 0
            else {{ seconds_between('clocks.start_at', 'clocks.end_at') }}
        end as span_seconds
    from {{ ref('fct_ticket_slt') }} as ticket_slts
    inner join {{ ref('int_slt_result') }} as clocks
        on ticket_slts.ticket_slt_key = clocks.ticket_slt_key
)

select *
from results
where
    wall_seconds <> span_seconds
    or class_seconds <> wall_seconds
    or business_seconds <> clock_seconds
