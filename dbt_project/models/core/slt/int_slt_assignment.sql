{{ config(materialized='by_ticket') }}
with outlines as (
    select * from {{ ref('int_slt_outline') }}
    where {{ for_tickets('ticket_id') }}
),

changes as (
    select * from {{ ref('int_slt_state_change') }}
    where {{ for_tickets('ticket_id') }}
),

tickets as (
    select * from {{ ref('int_ticket') }}
    where {{ for_tickets('ticket_id') }}
),

definitions as (
    select * from {{ ref('int_slt_definition') }}
),

situations as (
    select * from {{ ref('int_ticket_situation') }}
),

candidates as (
    select * from {{ ref('int_slt_situation_target') }}
),

scopes as (
    select * from {{ ref('int_clock_scope') }}
),

clock_days as (
    select * from {{ ref('int_clock_day') }}
),

-- what held when the clock started and when it ended; one of the two chooses the target
placed as (
    select
        outlines.*,
        end_changes.situation_id as end_situation_id,
        case definitions.target_policy
            when 'as_of_start' then start_changes.situation_id
            when 'as_of_stop' then end_changes.situation_id
        end as target_situation_id
    from outlines
    inner join definitions
        on
            outlines.slt_code = definitions.slt_code
            and outlines.slt_version = definitions.slt_version
    inner join changes as start_changes
        on
            outlines.ticket_slt_key = start_changes.ticket_slt_key
            and outlines.start_at = start_changes.event_at
    inner join changes as end_changes
        on
            outlines.ticket_slt_key = end_changes.ticket_slt_key
            and outlines.end_situation_at = end_changes.event_at
),

-- a target of the ticket's own contract, unit or service beats the general one
with_target as (
    select
        placed.*,
        candidates.business_unit_code,
        candidates.calendar_code,
        candidates.exclusion_scope_code,
        candidates.audience,
        candidates.target_seconds,
        candidates.tolerance_seconds
    from placed
    {{ join_target_candidates('placed', 'target_situation_id') }}
    where {{ start_hour_fits('placed') }}
    qualify row_number() over (
            partition by placed.ticket_slt_key order by {{ best_target_first() }}
        ) = 1
),

final as (
    select
        with_target.ticket_slt_key,
        with_target.ticket_id,
        with_target.ticket_key,
        tickets.ticket_number,
        tickets.source_system,
        with_target.slt_code,
        with_target.slt_version,
        definitions.phase,
        definitions.reopen_policy,
        definitions.calendar_policy,
        with_target.audience as exclusion_audience,
        definitions.at_risk_share,
        with_target.has_history_contradiction,
        with_target.cycle_number,
        target_situations.service_code,
        target_situations.contract_code,
        with_target.business_unit_code,
        end_situations.team_code,
        target_situations.priority,
        with_target.calendar_code,
        scopes.scope_id,
        with_target.target_seconds,
        with_target.tolerance_seconds,
        with_target.start_at,
        with_target.stop_at,
        with_target.canceled_at,
        with_target.end_at,
        with_target.as_of_at,
        tickets.batch_id
    from with_target
    inner join tickets on with_target.ticket_id = tickets.ticket_id
    inner join definitions
        on
            with_target.slt_code = definitions.slt_code
            and with_target.slt_version = definitions.slt_version
    inner join situations as target_situations
        on with_target.target_situation_id = target_situations.situation_id
    inner join situations as end_situations on with_target.end_situation_id = end_situations.situation_id
    left join scopes
        on
            with_target.calendar_code = scopes.calendar_code
            and with_target.exclusion_scope_code = scopes.exclusion_scope_code
            and with_target.audience = scopes.audience
)

select * from final
