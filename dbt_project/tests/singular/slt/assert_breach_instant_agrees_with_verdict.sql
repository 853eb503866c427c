-- A breach without an instant, an instant without a breach, or one outside the clock's span.
{{ config(meta={'dagster': {'ref': {'name': 'fct_ticket_slt'}}}) }}
select
    ticket_slts.ticket_slt_key,
    ticket_slts.is_breached_raw,
    ticket_slts.original_breach_at,
    ticket_slts.is_breached_adjusted,
    ticket_slts.breach_at
from {{ ref('fct_ticket_slt') }} as ticket_slts
inner join {{ ref('int_slt_result') }} as clocks
    on ticket_slts.ticket_slt_key = clocks.ticket_slt_key
where
    ticket_slts.is_breached_raw <> (ticket_slts.original_breach_at is not null)
    or ticket_slts.is_breached_adjusted <> (ticket_slts.breach_at is not null)
    or ticket_slts.original_breach_at < ticket_slts.start_at
    or ticket_slts.breach_at < ticket_slts.original_breach_at
    or ticket_slts.breach_at >= clocks.end_at
    or ticket_slts.original_breach_at >= clocks.end_at
    or (ticket_slts.is_breached_adjusted and not ticket_slts.is_breached_raw)
