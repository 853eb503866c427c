{#- Shares are whole numbers of 10^-6, so that they sum to exactly one. -#}
{%- set share_units = 1000000 -%}
-- The credit for each resolved ticket, split over who resolved it, who held it between handoffs and who contributed
-- to it, to exactly one.
with ticket_course as (
    select * from {{ ref('int_ticket_course') }}
    where observation_status = 'observed'
),

ticket_event as (
    select * from {{ ref('int_ticket_event') }}
),

ticket_contribution as (
    select * from {{ ref('int_ticket_contribution') }}
    where is_counted
),

credit_rule as (
    select * from {{ ref('credit_rule') }}
),

team as (
    select * from {{ ref('team') }}
),

resolved as (
    select
        ticket_course.ticket_key,
        ticket_course.source_system,
        ticket_course.service_code,
        ticket_course.resolved_at,
        ticket_course.batch_id,
        credit_rule.credit_rule_code,
        {{ integer_units('credit_rule.resolver_share', 4) }} as resolver_units,
        {{ integer_units('credit_rule.held_share', 4) }} as held_units,
        {{ integer_units('credit_rule.contribution_share', 4) }} as contribution_units,
        credit_rule.minimum_held_seconds,
        credit_rule.floor_seconds,
        credit_rule.ceiling_seconds
    from ticket_course
    inner join credit_rule
        on
            cast(ticket_course.resolved_at as date) >= credit_rule.effective_from
            and cast(ticket_course.resolved_at as date) <= coalesce(credit_rule.effective_to, date '9999-12-31')
),

-- from one event to the next, half-open
spell as (
    select
        ticket_event.ticket_key,
        ticket_event.event_sequence,
        ticket_event.ticket_state,
        coalesce(ticket_event.team_code, 'group:' || ticket_event.assignment_group_name, 'unassigned') as holder_code,
        ticket_event.team_code,
        ticket_event.assigned_employee_number as employee_number,
        ticket_event.event_at as held_from_at,
        lead(ticket_event.event_at) over (
            partition by ticket_event.ticket_key order by ticket_event.event_sequence
        ) as held_to_at,
        count(ticket_event.assigned_employee_number) over (partition by ticket_event.ticket_key)
            as assigned_event_count,
        resolved.resolved_at
    from ticket_event
    inner join resolved on ticket_event.ticket_key = resolved.ticket_key
),

-- waiting is nobody's work, and a queue is nobody's: where a person had the ticket, only persons held it
held as (
    select
        ticket_key,
        holder_code,
        team_code,
        employee_number,
        sum({{ seconds_between('held_from_at', 'held_to_at') }}) as held_seconds
    from spell
    where
        ticket_state in ('new', 'in_progress')
        and held_from_at < resolved_at
        and held_to_at is not null
        and (employee_number is not null or assigned_event_count = 0)
    group by ticket_key, holder_code, team_code, employee_number
),

-- who had it at the first event of its last resolution
resolver as (
    select
        ticket_key,
        holder_code,
        team_code,
        employee_number
    from spell
    where ticket_state in ('resolved', 'closed') and held_from_at = resolved_at
    qualify row_number() over (partition by ticket_key order by event_sequence) = 1
),

part as (
    select
        ticket_key,
        holder_code,
        team_code,
        employee_number,
        held_seconds,
        0 as resolver_count,
        0 as contribution_weight
    from held

    union all

    select
        ticket_key,
        holder_code,
        team_code,
        employee_number,
        0 as held_seconds,
        1 as resolver_count,
        0 as contribution_weight
    from resolver

    union all

    select
        ticket_key,
        coalesce(team_code, 'unassigned') as holder_code,
        team_code,
        employee_number,
        0 as held_seconds,
        0 as resolver_count,
        contribution_weight
    from ticket_contribution
),

holder as (
    select
        ticket_key,
        holder_code,
        coalesce(employee_number, '') as holder_employee_number,
        max(team_code) as team_code,
        sum(held_seconds) as held_seconds,
        sum(resolver_count) as resolver_count,
        sum(contribution_weight) as contribution_weight
    from part
    group by ticket_key, holder_code, coalesce(employee_number, '')
),

counted as (
    select
        holder.*,
        resolved.source_system,
        resolved.service_code,
        resolved.resolved_at,
        resolved.batch_id,
        resolved.credit_rule_code,
        resolved.resolver_units,
        resolved.held_units,
        resolved.contribution_units,
        case
            when holder.held_seconds <= 0 or holder.held_seconds < resolved.minimum_held_seconds then 0
            else least(
                    greatest(holder.held_seconds, resolved.floor_seconds),
                    coalesce(resolved.ceiling_seconds, greatest(holder.held_seconds, resolved.floor_seconds))
                )
        end as counted_seconds
    from holder
    inner join resolved on holder.ticket_key = resolved.ticket_key
),

summed as (
    select
        *,
        {{ exact_integer('sum(counted_seconds) over (partition by ticket_key)') }} as ticket_seconds,
        {{ exact_integer('sum(contribution_weight) over (partition by ticket_key)') }} as ticket_weight
    from counted
),

-- a part nobody earned goes on: contributions to those who held it, holding to who resolved it
settled as (
    select
        *,
        case when ticket_weight > 0 then contribution_units else 0 end as contribution_part,
        case
            when ticket_seconds > 0
                then held_units + case when ticket_weight > 0 then 0 else contribution_units end
            else 0
        end as held_part,
        resolver_units
        + case
            when ticket_seconds > 0 then 0
            else held_units + case when ticket_weight > 0 then 0 else contribution_units end
        end as resolver_part,
        greatest(ticket_seconds, 1) as whole_seconds,
        greatest(ticket_weight, 1) as whole_weight
    from summed
),

fraction as (
    select
        *,
        {{ share_units }} * (
            {{ exact_integer('resolver_part') }} * resolver_count * whole_seconds * whole_weight
            + {{ exact_integer('held_part') }} * counted_seconds * whole_weight
            + {{ exact_integer('contribution_part') }} * contribution_weight * whole_seconds
        ) as share_numerator,
        10000 * whole_seconds * whole_weight as share_denominator
    from settled
),

split as (
    select
        *,
        {{ allocate_largest_remainder(
            'share_numerator', 'share_denominator', 'ticket_key', 'holder_code, holder_employee_number'
        ) }} as credit_units
    from fraction
),

final as (
    select
        cast({{ md5_of(['split.ticket_key', 'split.holder_code', 'split.holder_employee_number']) }} as varchar)
            as credit_line_id,
        cast(split.ticket_key as varchar) as ticket_key,
        cast(split.source_system as varchar) as source_system,
        cast(split.service_code as varchar) as service_code,
        cast(split.resolved_at as timestamp) as resolved_at,
        cast({{ quarter_code('split.resolved_at') }} as varchar) as earned_quarter,
        cast(split.holder_code as varchar) as holder_code,
        cast(split.team_code as varchar) as team_code,
        cast(team.tier as integer) as tier,
        cast(nullif(split.holder_employee_number, '') as varchar) as employee_number,
        cast(split.held_seconds as bigint) as held_seconds,
        cast(split.counted_seconds as bigint) as counted_seconds,
        cast(split.resolver_count > 0 as boolean) as is_resolver,
        cast(split.contribution_weight as integer) as contribution_weight,
        cast({{ from_integer_units('split.credit_units', 6) }} as decimal(18, 6)) as credit_share,
        cast(split.credit_rule_code as varchar) as credit_rule_code,
        cast(split.batch_id as varchar) as batch_id
    from split
    left join team on split.team_code = team.team_code
)

select * from final
