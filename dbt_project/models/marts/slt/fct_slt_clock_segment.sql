{#- The stretches are named in place, class by class: a CTE of them used four times would hold them all in memory. -#}
{{ config(materialized='by_ticket', ticket_column='ticket_sequence') }}
{%- set classes = ['paused', 'outside_calendar', 'excluded', 'net', 'stopped'] -%}
with ticket_ids as (
    select * from {{ ref('int_ticket_id') }}
    where {{ for_tickets('ticket_id') }}
),

situations as (
    select * from {{ ref('int_ticket_situation') }}
),

conditions_met as (
    select * from {{ ref('int_slt_situation') }}
),

scopes as (
    select * from {{ ref('int_clock_scope') }}
),

exclusions as (
    select * from {{ ref('int_exclusion_scope') }}
),

scope_exclusions as (
    select
        scopes.scope_id,
        exclusions.exclusion_id,
        exclusions.starts_at,
        exclusions.ends_at
    from scopes
    inner join exclusions
        on
            scopes.exclusion_scope_code = exclusions.exclusion_scope_code
            and scopes.audience = exclusions.audience
),

-- the exclusions that reach into a stretch, to name them as the reason
telescoped_exclusion_names as (
    select
        stretches.ticket_id,
        stretches.slot_number,
        stretches.from_s,
        {{ distinct_list('scope_exclusions.exclusion_id') }} as exclusion_ids
    from {{ ref('int_slt_telescoped_interval') }} as stretches
    inner join scope_exclusions
        on
            stretches.scope_id = scope_exclusions.scope_id
            and {{ clock_instant('stretches.to_s') }} > scope_exclusions.starts_at
            and {{ clock_instant('stretches.from_s') }} < scope_exclusions.ends_at
    where stretches.excluded_seconds > 0 and {{ for_tickets('stretches.ticket_id') }}
    group by stretches.ticket_id, stretches.slot_number, stretches.from_s
),

interval_exclusion_names as (
    select
        intervals.ticket_slt_key,
        intervals.from_at,
        {{ distinct_list('scope_exclusions.exclusion_id') }} as exclusion_ids
    from {{ ref('int_slt_interval') }} as intervals
    inner join scope_exclusions
        on
            intervals.scope_id = scope_exclusions.scope_id
            and intervals.to_at > scope_exclusions.starts_at
            and intervals.from_at < scope_exclusions.ends_at
    where intervals.excluded_seconds > 0 and {{ for_tickets('intervals.ticket_id') }}
    group by intervals.ticket_slt_key, intervals.from_at
),

telescoped_parts as (
    {% for class in classes if class != 'stopped' -%}
    select
        stretches.ticket_id,
        stretches.slot_number,
        stretches.scope_id,
        stretches.situation_id,
        stretches.from_s,
        stretches.to_s,
        stretches.is_reopened_stretch,
        stretches.is_state_carried,
        stretches.is_inferred,
        stretches.batch_id,
        '{{ class }}' as clock_class,
        stretches.{{ class }}_seconds as seconds
    from {{ ref('int_slt_telescoped_interval') }} as stretches
    where stretches.{{ class }}_seconds > 0 and {{ for_tickets('stretches.ticket_id') }}
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

interval_parts as (
    {% for class in classes -%}
    select
        intervals.*,
        '{{ class }}' as clock_class,
        intervals.{{ class }}_seconds as seconds
    from {{ ref('int_slt_interval') }} as intervals
    where intervals.{{ class }}_seconds > 0 and {{ for_tickets('intervals.ticket_id') }}
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

parts as (
    select
        ticket_ids.ticket_key || ':' || conditions_met.slt_code as ticket_slt_key,
        ticket_ids.ticket_key,
        ticket_ids.ticket_id,
        conditions_met.slt_code,
        telescoped_parts.scope_id,
        {{ clock_instant('telescoped_parts.from_s') }} as from_at,
        {{ clock_instant('telescoped_parts.to_s') }} as to_at,
        situations.ticket_state,
        telescoped_parts.clock_class,
        telescoped_parts.seconds,
        telescoped_parts.is_reopened_stretch,
        telescoped_parts.is_state_carried as is_role_carried,
        telescoped_parts.is_inferred,
        telescoped_exclusion_names.exclusion_ids,
        telescoped_parts.batch_id
    from telescoped_parts
    inner join ticket_ids on telescoped_parts.ticket_id = ticket_ids.ticket_id
    inner join situations on telescoped_parts.situation_id = situations.situation_id
    inner join conditions_met
        on
            telescoped_parts.situation_id = conditions_met.situation_id
            and telescoped_parts.slot_number = conditions_met.slot_number
    left join telescoped_exclusion_names
        on
            telescoped_parts.ticket_id = telescoped_exclusion_names.ticket_id
            and telescoped_parts.slot_number = telescoped_exclusion_names.slot_number
            and telescoped_parts.from_s = telescoped_exclusion_names.from_s
    union all
    select
        interval_parts.ticket_slt_key,
        interval_parts.ticket_key,
        interval_parts.ticket_id,
        interval_parts.slt_code,
        interval_parts.scope_id,
        interval_parts.from_at,
        interval_parts.to_at,
        interval_parts.ticket_state,
        interval_parts.clock_class,
        interval_parts.seconds,
        interval_parts.is_reopened_stretch,
        interval_parts.is_role_carried,
        interval_parts.is_inferred,
        interval_exclusion_names.exclusion_ids,
        interval_parts.batch_id
    from interval_parts
    left join interval_exclusion_names
        on
            interval_parts.ticket_slt_key = interval_exclusion_names.ticket_slt_key
            and interval_parts.from_at = interval_exclusion_names.from_at
),

explained as (
    select
        parts.*,
        case
            when parts.clock_class = 'paused' then 'state ' || parts.ticket_state || ' pauses the clock'
            when parts.clock_class = 'stopped'
                then 'state ' || parts.ticket_state || ' stopped the clock until it was left again'
            when parts.clock_class = 'outside_calendar' then 'calendar ' || scopes.calendar_code || ' is closed'
            when parts.clock_class = 'excluded' then 'exclusion ' || parts.exclusion_ids
            when parts.is_reopened_stretch
                then 'state ' || parts.ticket_state || ' was left again: the clock runs through'
            else 'state ' || parts.ticket_state || ' runs the clock'
        end
        || case
            when parts.is_role_carried then ' (the state says nothing of the clock: as before)'
            when parts.is_inferred then ' (inferred: the opening itself was not recorded)'
            else ''
        end as reason
    from parts
    left join scopes on parts.scope_id = scopes.scope_id
),

final as (
    select
        cast(ticket_slt_key as varchar) as ticket_slt_key,
        cast(ticket_key as varchar) as ticket_key,
        cast(ticket_id as integer) as ticket_sequence,
        cast(slt_code as varchar) as slt_code,
        cast(from_at as timestamp) as from_at,
        cast(to_at as timestamp) as to_at,
        cast(ticket_state as varchar) as ticket_state,
        cast(clock_class as varchar) as clock_class,
        cast(seconds as bigint) as seconds,
        cast(reason as varchar) as reason,
        cast(batch_id as varchar) as batch_id
    from explained
)

select * from final
