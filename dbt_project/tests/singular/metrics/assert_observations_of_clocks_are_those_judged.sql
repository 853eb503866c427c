-- What metrics count must be the verdicts people read: an observation that says met where fct_ticket_slt says breached,
-- or is missing or one too many, would pay by another clock than the one shown.
{{ config(meta={'dagster': {'ref': {'name': 'int_observation_ticket_slt'}}}) }}
with verdict as (
    select
        ticket_slt_key,
        slt_code,
        team_code,
        stop_at,
        not is_breached_raw as is_raw_met,
        not is_breached_adjusted or is_forgiven as is_adjusted_met
    from {{ ref('fct_ticket_slt') }}
    where slt_status in ('met', 'within_tolerance', 'breached') and stop_at is not null
),

failure as (
    select
        coalesce(verdict.ticket_slt_key, observation.observation_key) as ticket_slt_key,
        verdict.is_raw_met,
        verdict.is_adjusted_met,
        observation.raw_met_count,
        observation.adjusted_met_count
    from verdict
    full join {{ ref('int_observation_ticket_slt') }} as observation
        on verdict.ticket_slt_key = observation.observation_key
    where
        verdict.ticket_slt_key is null
        or observation.observation_key is null
        or (verdict.is_raw_met <> (observation.raw_met_count = 1))
        or (verdict.is_adjusted_met <> (observation.adjusted_met_count = 1))
        or (verdict.team_code is distinct from observation.team_code)
        or verdict.slt_code <> observation.slt_code
        or verdict.stop_at <> observation.observed_at
)

select * from failure
