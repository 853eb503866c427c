{{ config(materialized='by_ticket') }}
{%- set classes = ['wall', 'paused', 'outside_calendar', 'excluded', 'net', 'stopped'] -%}
with telescoped as (
    select * from {{ ref('int_slt_telescoped') }}
    where {{ for_tickets('ticket_id') }}
),

ticket_ids as (
    select * from {{ ref('int_ticket_id') }}
    where {{ for_tickets('ticket_id') }}
),

tickets as (
    select * from {{ ref('int_ticket') }}
),

situations as (
    select * from {{ ref('int_ticket_situation') }}
),

conditions_met as (
    select * from {{ ref('int_slt_situation') }}
),

definitions as (
    select * from {{ ref('int_slt_definition') }}
),

terms as (
    select * from {{ ref('int_slt_terms') }}
),

run_context as (
    select as_of_at from {{ ref('int_run_context') }}
),

assignments as (
    select * from {{ ref('int_slt_assignment') }}
    where {{ for_tickets('ticket_id') }}
),

intervals as (
    select * from {{ ref('int_slt_interval') }}
    where {{ for_tickets('ticket_id') }}
),

breaches as (
    select * from {{ ref('int_slt_breach') }}
    where {{ for_tickets('ticket_id') }}
),

named as (
    select
        ticket_ids.ticket_key || ':' || conditions_met.slt_code as ticket_slt_key,
        telescoped.ticket_id,
        ticket_ids.ticket_key,
        conditions_met.slt_code,
        conditions_met.slt_version,
        false as has_history_contradiction,
        1 as cycle_number,
        target_situations.service_code,
        target_situations.contract_code,
        terms.business_unit_code,
        end_situations.team_code,
        target_situations.priority,
        terms.calendar_code,
        terms.scope_id,
        terms.target_seconds,
        terms.tolerance_seconds,
        {{ clock_instant('telescoped.start_s') }} as start_at,
        case when telescoped.is_ended then {{ clock_instant('telescoped.end_s') }} end as ended_at,
        end_conditions.own_role as end_role,
        {% for class in classes if class != 'stopped' -%}
        telescoped.{{ class }}_seconds,
        {% endfor -%}
        0 as stopped_seconds,
        {{ clock_instant('telescoped.original_breach_s') }} as original_breach_at,
        {{ clock_instant('telescoped.breach_s') }} as breach_at
    from telescoped
    inner join ticket_ids on telescoped.ticket_id = ticket_ids.ticket_id
    inner join situations as target_situations
        on telescoped.target_situation_id = target_situations.situation_id
    inner join situations as end_situations on telescoped.end_situation_id = end_situations.situation_id
    inner join conditions_met
        on
            telescoped.target_situation_id = conditions_met.situation_id
            and telescoped.slot_number = conditions_met.slot_number
    inner join conditions_met as end_conditions
        on
            telescoped.end_situation_id = end_conditions.situation_id
            and telescoped.slot_number = end_conditions.slot_number
    inner join terms
        on
            telescoped.target_situation_id = terms.situation_id
            and conditions_met.slt_code = terms.slt_code
            and conditions_met.slt_version = terms.slt_version
            and {{ clock_date('telescoped.start_s') }} >= terms.from_on
            and {{ clock_date('telescoped.start_s') }} <= terms.to_on
),

summed as (
    select
        ticket_slt_key,
    {% for class in classes -%}
    sum({{ class }}_seconds) as {{ class }}_seconds{{ ',' if not loop.last }}
    {% endfor -%}
    from intervals
    group by ticket_slt_key
),

-- what does not telescope is the sum of its intervals; a clock that ends at its very start has none
from_intervals as (
    select
        assignments.ticket_slt_key,
        assignments.ticket_id,
        assignments.ticket_key,
        assignments.slt_code,
        assignments.slt_version,
        assignments.has_history_contradiction,
        assignments.cycle_number,
        assignments.service_code,
        assignments.contract_code,
        assignments.business_unit_code,
        assignments.team_code,
        assignments.priority,
        assignments.calendar_code,
        assignments.scope_id,
        assignments.target_seconds,
        assignments.tolerance_seconds,
        assignments.start_at,
        coalesce(assignments.stop_at, assignments.canceled_at) as ended_at,
        case
            when assignments.stop_at is not null then 'stopped'
            when assignments.canceled_at is not null then 'canceled'
        end as end_role,
        {% for class in classes -%}
        coalesce(summed.{{ class }}_seconds, 0) as {{ class }}_seconds,
        {% endfor -%}
        breaches.original_breach_at,
        breaches.breach_at
    from assignments
    left join summed on assignments.ticket_slt_key = summed.ticket_slt_key
    left join breaches on assignments.ticket_slt_key = breaches.ticket_slt_key
),

combined as (
    select
        *,
        true as is_telescoped
    from named
    union all
    select
        *,
        false as is_telescoped
    from from_intervals
),

final as (
    select
        combined.ticket_slt_key,
        combined.ticket_id,
        combined.ticket_key,
        tickets.ticket_number,
        tickets.source_system,
        combined.slt_code,
        combined.slt_version,
        definitions.phase,
        definitions.at_risk_share,
        combined.has_history_contradiction,
        combined.is_telescoped,
        combined.cycle_number,
        combined.service_code,
        combined.contract_code,
        combined.business_unit_code,
        combined.team_code,
        combined.priority,
        combined.calendar_code,
        combined.scope_id,
        combined.target_seconds,
        combined.tolerance_seconds,
        combined.start_at,
        case when combined.end_role = 'stopped' then combined.ended_at end as stop_at,
        case when combined.end_role = 'canceled' then combined.ended_at end as canceled_at,
        coalesce(combined.ended_at, run_context.as_of_at) as end_at,
        case when combined.ended_at is null then run_context.as_of_at end as as_of_at,
        {% for class in classes -%}
        cast(combined.{{ class }}_seconds as bigint) as {{ class }}_seconds,
        {% endfor -%}
        combined.original_breach_at,
        combined.breach_at,
        tickets.batch_id
    from combined
    inner join tickets on combined.ticket_key = tickets.ticket_key
    inner join definitions
        on
            combined.slt_code = definitions.slt_code
            and combined.slt_version = definitions.slt_version
    cross join run_context
)

select * from final
