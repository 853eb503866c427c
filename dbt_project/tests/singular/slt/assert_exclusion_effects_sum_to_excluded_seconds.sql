-- A ticket whose excluded seconds are not credited to exclusions exactly once.
{{ config(meta={'requirements': ['LTI-2.4'], 'dagster': {'ref': {'name': 'fct_exclusion_effect'}}}) }}
with effects as (
    select
        ticket_slt_key,
        sum(removed_seconds) as removed_seconds
    from {{ ref('fct_exclusion_effect') }}
    group by ticket_slt_key
)

select
    ticket_slts.ticket_slt_key,
    ticket_slts.excluded_seconds,
    effects.removed_seconds
from {{ ref('fct_ticket_slt') }} as ticket_slts
left join effects on ticket_slts.ticket_slt_key = effects.ticket_slt_key
where ticket_slts.excluded_seconds <> coalesce(effects.removed_seconds, 0)
