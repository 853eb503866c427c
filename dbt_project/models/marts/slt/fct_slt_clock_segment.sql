{{ config(materialized='by_ticket', ticket_column='ticket_key') }}
{%- set classes = ['paused', 'outside_calendar', 'excluded', 'net', 'stopped'] -%}
with intervals as (
    select * from {{ ref('int_slt_interval') }}
    where {{ for_tickets('ticket_id') }}
),

scopes as (
    select * from {{ ref('int_clock_scope') }}
),

exclusions as (
    select * from {{ ref('int_exclusion_scope') }}
),

-- the exclusions that reach into an interval, to name them as the reason
exclusion_names as (
    select
        intervals.ticket_slt_key,
        intervals.interval_number,
        {{ distinct_list('exclusions.exclusion_id') }} as exclusion_ids
    from intervals
    inner join scopes on intervals.scope_id = scopes.scope_id
    inner join exclusions
        on
            scopes.exclusion_scope_code = exclusions.exclusion_scope_code
            and scopes.audience = exclusions.audience
            and intervals.to_at > exclusions.starts_at
            and intervals.from_at < exclusions.ends_at
    where intervals.excluded_seconds > 0
    group by intervals.ticket_slt_key, intervals.interval_number
),

classed as (
    {% for class in classes -%}
    select
        intervals.*,
        {{ loop.index }} as class_number,
        '{{ class }}' as clock_class,
        intervals.{{ class }}_seconds as seconds
    from intervals
    where intervals.{{ class }}_seconds > 0
    {%- if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

explained as (
    select
        classed.*,
        scopes.calendar_code,
        case
            when classed.clock_class = 'paused' then 'state ' || classed.ticket_state || ' pauses the clock'
            when classed.clock_class = 'stopped'
                then 'state ' || classed.ticket_state || ' stopped the clock until it was left again'
            when classed.clock_class = 'outside_calendar'
                then 'calendar ' || scopes.calendar_code || ' is closed'
            when classed.clock_class = 'excluded' then 'exclusion ' || exclusion_names.exclusion_ids
            when classed.is_reopened_stretch
                then 'state ' || classed.ticket_state || ' was left again: the clock runs through'
            else 'state ' || classed.ticket_state || ' runs the clock'
        end
        || case
            when classed.is_role_carried then ' (the state says nothing of the clock: as before)'
            when classed.is_inferred then ' (inferred: the opening itself was not recorded)'
            else ''
        end as reason
    from classed
    left join scopes on classed.scope_id = scopes.scope_id
    left join exclusion_names
        on
            classed.ticket_slt_key = exclusion_names.ticket_slt_key
            and classed.interval_number = exclusion_names.interval_number
),

final as (
    select
        cast(ticket_slt_key as varchar) as ticket_slt_key,
        cast(ticket_key as varchar) as ticket_key,
        cast(slt_code as varchar) as slt_code,
        cast(row_number() over (
            partition by ticket_slt_key order by interval_number, class_number
        ) as integer) as segment_number,
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
