-- A breach whose holders do not account for every second of it, whose shares do not sum to exactly one, or that has
-- not exactly one longest holder and one holder at the breach: a team would answer for time nobody measured.
{{ config(meta={'dagster': {'ref': {'name': 'fct_breach_attribution'}}}) }}
with held as (
    select
        ticket_slt_key,
        sum(held_share) as held_share,
        sum(net_seconds) as net_seconds,
        sum(excluded_seconds) as excluded_seconds,
        sum(case when is_longest_holder then 1 else 0 end) as longest_count,
        sum(case when is_holder_at_breach then 1 else 0 end) as at_breach_count
    from {{ ref('fct_breach_attribution') }}
    group by ticket_slt_key
),

breaches as (
    select * from {{ ref('fct_slt_breach') }}
    where is_breached_raw or is_breached_adjusted
)

select
    breaches.ticket_slt_key,
    held.held_share,
    breaches.net_seconds,
    held.net_seconds as held_net_seconds
from breaches
full join held on breaches.ticket_slt_key = held.ticket_slt_key
where
    breaches.ticket_slt_key is null
    or held.held_share is distinct from 1
    or held.net_seconds is distinct from breaches.net_seconds
    or held.excluded_seconds is distinct from breaches.business_seconds - breaches.net_seconds
    or held.longest_count is distinct from 1
    or held.at_breach_count is distinct from 1
