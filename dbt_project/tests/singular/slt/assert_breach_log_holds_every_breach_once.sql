-- A breached or at-risk result that the log lacks, or one of the log that the results do not bear out: escalation,
-- review and improvement would work on another list than the figures.
{{ config(meta={'dagster': {'ref': {'name': 'fct_slt_breach'}}}) }}
with results as (
    select
        ticket_slt_key,
        is_breached_raw,
        is_breached_adjusted,
        is_forgiven,
        is_at_risk,
        net_seconds,
        business_seconds,
        target_seconds
    from {{ ref('fct_ticket_slt') }}
    where is_breached_raw or is_breached_adjusted or is_at_risk
),

logged as (
    select
        ticket_slt_key,
        is_breached_raw,
        is_breached_adjusted,
        is_forgiven,
        is_at_risk,
        net_seconds,
        business_seconds,
        target_seconds
    from {{ ref('fct_slt_breach') }}
),

lost as (
    select * from results
    except all
    select * from logged
),

invented as (
    select * from logged
    except all
    select * from results
)

select
    'not in the log' as fault,
    *
from lost
union all
select
    'not among the results' as fault,
    *
from invented
