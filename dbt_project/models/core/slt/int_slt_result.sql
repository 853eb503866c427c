{#- What the telescoped clocks stand on is named in place and not as CTEs, so that each join is a look into an array,
    as in int_slt_telescoped. -#}
{{ config(
    materialized='by_ticket',
    pre_hook="set disabled_optimizers = 'join_order,build_side_probe_side'",
    post_hook="reset disabled_optimizers"
) }}
{%- set classes = ['wall', 'paused', 'outside_calendar', 'excluded', 'net', 'stopped'] -%}
{%- set slots = range(1, slt_slot_count() | int + 1) -%}
with tickets as (
    select * from {{ ref('int_ticket') }}
    where {{ for_tickets('ticket_id') }}
),

definitions as (
    select * from {{ ref('int_slt_definition') }}
),

run_context as (
    select
        as_of_at,
        {{ clock_seconds('as_of_at') }} as as_of_s
    from {{ ref('int_run_context') }}
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

-- when each of a ticket's clocks ran, by the column of its slot
spanned as (
    select
        clocks.ticket_id,
        clocks.slot_number,
        clocks.slot_terms_id,
        spans.start_s,
        case clocks.slot_number
            {%- for slot in slots %}
            when {{ slot }} then spans.end_s_{{ slot }}
            {%- endfor %}
        end as ended_s,
        case clocks.slot_number
            {%- for slot in slots %}
            when {{ slot }} then spans.end_situation_id_{{ slot }}
            {%- endfor %}
        end as end_situation_id,
        clocks.paused_seconds,
        clocks.business_seconds,
        clocks.excluded_seconds
    from {{ ref('int_slt_telescoped') }} as clocks
    inner join {{ ref('int_slt_span') }} as spans on clocks.ticket_id = spans.ticket_id
    where {{ for_tickets('clocks.ticket_id') }} and {{ for_tickets('spans.ticket_id') }}
),

telescoped as (
    select
        tickets.ticket_key || ':' || terms.slt_code as ticket_slt_key,
        spanned.ticket_id,
        tickets.ticket_key,
        tickets.ticket_number,
        tickets.source_system,
        terms.slt_code,
        terms.slt_version,
        terms.phase,
        terms.at_risk_share,
        false as has_history_contradiction,
        true as is_telescoped,
        1 as cycle_number,
        terms.service_code,
        terms.contract_code,
        terms.business_unit_code,
        end_situations.team_code,
        terms.priority,
        terms.calendar_code,
        terms.scope_id,
        terms.target_seconds,
        terms.tolerance_seconds,
        {{ clock_instant('spanned.start_s') }} as start_at,
        {{ clock_instant('spanned.ended_s') }} as ended_at,
        case
            when
                case spanned.slot_number
                    {%- for slot in slots %}
                    when {{ slot }} then end_slots.is_canceled_{{ slot }}
                    {%- endfor %}
                end = 1
                then 'canceled'
            else 'stopped'
        end as end_role,
        coalesce(spanned.ended_s, run_context.as_of_s) - spanned.start_s as wall_seconds,
        spanned.paused_seconds,
        coalesce(spanned.ended_s, run_context.as_of_s) - spanned.start_s
        - spanned.paused_seconds - spanned.business_seconds as outside_calendar_seconds,
        spanned.excluded_seconds,
        spanned.business_seconds - spanned.excluded_seconds as net_seconds,
        0 as stopped_seconds,
        {{ clock_instant('telescoped_breaches.original_breach_s') }} as original_breach_at,
        {{ clock_instant('telescoped_breaches.breach_s') }} as breach_at,
        tickets.batch_id
    from spanned
    inner join {{ ref('int_ticket') }} as tickets on spanned.ticket_id = tickets.ticket_id
    inner join {{ ref('int_slt_slot_terms') }} as terms on spanned.slot_terms_id = terms.slot_terms_id
    inner join {{ ref('int_ticket_situation') }} as end_situations
        on spanned.end_situation_id = end_situations.situation_id
    inner join {{ ref('int_slt_situation_slot') }} as end_slots
        on spanned.end_situation_id = end_slots.situation_id
    left join {{ ref('int_slt_telescoped_breach') }} as telescoped_breaches
        on
            spanned.ticket_id = telescoped_breaches.ticket_id
            and spanned.slot_number = telescoped_breaches.slot_number
            and {{ for_tickets('telescoped_breaches.ticket_id') }}
    cross join run_context
    where {{ for_tickets('tickets.ticket_id') }}
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
        tickets.ticket_number,
        tickets.source_system,
        assignments.slt_code,
        assignments.slt_version,
        definitions.phase,
        definitions.at_risk_share,
        assignments.has_history_contradiction,
        false as is_telescoped,
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
        breaches.breach_at,
        tickets.batch_id
    from assignments
    inner join tickets on assignments.ticket_id = tickets.ticket_id
    inner join definitions
        on
            assignments.slt_code = definitions.slt_code
            and assignments.slt_version = definitions.slt_version
    left join summed on assignments.ticket_slt_key = summed.ticket_slt_key
    left join breaches on assignments.ticket_slt_key = breaches.ticket_slt_key
),

combined as (
    select * from telescoped
    union all
    select * from from_intervals
),

final as (
    select
        combined.ticket_slt_key,
        combined.ticket_id,
        combined.ticket_key,
        combined.ticket_number,
        combined.source_system,
        combined.slt_code,
        combined.slt_version,
        combined.phase,
        combined.at_risk_share,
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
        combined.batch_id
    from combined
    cross join run_context
)

select * from final
