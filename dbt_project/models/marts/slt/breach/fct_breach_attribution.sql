{#- Shares are whole numbers of 10^-6, so that they sum to exactly one. -#}
{%- set share_units = 1000000 -%}
with breaches as (
    select * from {{ ref('fct_slt_breach') }}
    where is_breached_raw or is_breached_adjusted
),

segments as (
    select * from {{ ref('fct_slt_clock_segment') }}
    where clock_class in ('net', 'excluded')
),

events as (
    select * from {{ ref('int_ticket_event') }}
),

ticket_slts as (
    select * from {{ ref('fct_ticket_slt') }}
),

definitions as (
    select * from {{ ref('slt_definition') }}
),

scopes as (
    select * from {{ ref('int_clock_scope') }}
),

clock_days as (
    select * from {{ ref('int_clock_day') }}
),

breached_tickets as (
    select distinct ticket_key
    from breaches
),

-- of several events at one instant the last one holds
settled as (
    select
        events.ticket_key,
        events.event_at,
        events.team_code,
        events.assignment_group_name,
        events.exclusion_scope_code,
        coalesce(events.team_code, 'group:' || events.assignment_group_name, 'unassigned') as holder_code
    from events
    inner join breached_tickets on events.ticket_key = breached_tickets.ticket_key
    qualify row_number() over (
            partition by events.ticket_key, events.event_at order by events.event_sequence desc
        ) = 1
),

marked as (
    select
        *,
        lag(holder_code) over (partition by ticket_key order by event_at) as holder_before_code
    from settled
),

-- from a hand-over to the next one, half-open; the last holder holds it for good
spells as (
    select
        ticket_key,
        holder_code,
        team_code,
        assignment_group_name,
        event_at as held_from_at,
        lead(event_at, 1, timestamp '9999-12-31 00:00:00') over (partition by ticket_key order by event_at)
            as held_to_at
    from marked
    where holder_before_code is distinct from holder_code
),

-- the calendar and exclusions the clock of the result went by, to read it at a hand-over within a segment
result_scopes as (
    select
        breaches.ticket_slt_key,
        scopes.scope_id
    from breaches
    inner join ticket_slts on breaches.ticket_slt_key = ticket_slts.ticket_slt_key
    inner join definitions
        on breaches.slt_code = definitions.slt_code and breaches.slt_version = definitions.slt_version
    inner join settled
        on
            breaches.ticket_key = settled.ticket_key
            and case
                when definitions.target_policy = 'as_of_start' then breaches.start_at
                else ticket_slts.end_at
            end >= settled.event_at
    inner join scopes
        on
            ticket_slts.calendar_code = scopes.calendar_code
            and settled.exclusion_scope_code = scopes.exclusion_scope_code
            and definitions.exclusion_audience = scopes.audience
    qualify row_number() over (
            partition by breaches.ticket_slt_key order by settled.event_at desc
        ) = 1
),

pieces as (
    select
        segments.ticket_slt_key,
        segments.from_at as stretch_from_at,
        segments.clock_class,
        segments.seconds as segment_seconds,
        spells.holder_code,
        spells.team_code,
        spells.assignment_group_name,
        spells.held_from_at,
        greatest(segments.from_at, spells.held_from_at) as from_at,
        least(segments.to_at, spells.held_to_at) as to_at,
        count(*) over (
            partition by segments.ticket_slt_key, segments.from_at, segments.clock_class
        ) as holder_count
    from segments
    inner join breaches on segments.ticket_slt_key = breaches.ticket_slt_key
    inner join spells
        on
            breaches.ticket_key = spells.ticket_key
            and segments.to_at > spells.held_from_at
            and segments.from_at < spells.held_to_at
),

-- a segment of one holder needs no clock
split_pieces as (
    select
        *,
        case when holder_count > 1 then ticket_slt_key end as split_ticket_slt_key
    from pieces
),

read_off as (
    select
        split_pieces.*,
        {{ seconds_between('split_pieces.from_at', 'split_pieces.to_at') }} as wall_seconds,
        case
            when split_pieces.clock_class = 'net'
                then
                    {{ clock_reading('to_days', epoch_seconds('split_pieces.to_at'), 'active') }}
                    - {{ clock_reading('from_days', epoch_seconds('split_pieces.from_at'), 'active') }}
            else
                {{ clock_reading('to_days', epoch_seconds('split_pieces.to_at'), 'open') }}
                - {{ clock_reading('from_days', epoch_seconds('split_pieces.from_at'), 'open') }}
                - {{ clock_reading('to_days', epoch_seconds('split_pieces.to_at'), 'active') }}
                + {{ clock_reading('from_days', epoch_seconds('split_pieces.from_at'), 'active') }}
        end as clock_seconds
    from split_pieces
    left join result_scopes on split_pieces.split_ticket_slt_key = result_scopes.ticket_slt_key
    left join clock_days as from_days
        on
            result_scopes.scope_id = from_days.scope_id
            and {{ day_number('split_pieces.from_at') }} = from_days.day_number
    left join clock_days as to_days
        on
            result_scopes.scope_id = to_days.scope_id
            and {{ day_number('split_pieces.to_at') }} = to_days.day_number
),

-- the readings are used only where they give back the segment's own seconds; otherwise its seconds are spread
-- over its span (a stretch that went by another calendar than its result's)
judged as (
    select
        *,
        holder_count = 1
        or coalesce(
            sum(clock_seconds) over segment = segment_seconds
            and count(clock_seconds) over segment = holder_count,
            false
        ) as is_measured
    from read_off
    window segment as (partition by ticket_slt_key, stretch_from_at, clock_class)
),

weighed as (
    select
        *,
        case
            when holder_count = 1 then 1
            when is_measured then clock_seconds
            else wall_seconds
        end as weight
    from judged
),

totalled as (
    select
        *,
        sum(weight) over (partition by ticket_slt_key, stretch_from_at, clock_class) as weight_sum
    from weighed
),

allotted as (
    select
        *,
        {{ allocate_largest_remainder(
            exact_integer('weight') ~ ' * segment_seconds', 'weight_sum',
            'ticket_slt_key, stretch_from_at, clock_class', 'from_at'
        ) }} as held_seconds
    from totalled
),

held as (
    select
        ticket_slt_key,
        holder_code,
        max(team_code) as team_code,
        max(case when team_code is null then assignment_group_name end) as assignment_group_name,
        min(held_from_at) as first_held_at,
        sum(case when clock_class = 'net' then held_seconds else 0 end) as net_seconds,
        sum(case when clock_class = 'excluded' then held_seconds else 0 end) as excluded_seconds,
        bool_and(is_measured) as is_measured
    from allotted
    group by ticket_slt_key, holder_code
),

-- an exclusion can take the whole clock away: then the raw clock is what was breached
based as (
    select
        held.*,
        breaches.ticket_key,
        breaches.slt_code,
        breaches.service_code,
        breaches.breach_class,
        breaches.target_reached_at,
        breaches.net_seconds > 0 as is_net_basis,
        case when breaches.net_seconds > 0 then held.net_seconds else held.excluded_seconds end as basis_seconds,
        case when breaches.net_seconds > 0 then breaches.net_seconds else breaches.business_seconds end
            as total_seconds
    from held
    inner join breaches on held.ticket_slt_key = breaches.ticket_slt_key
),

shared as (
    select
        based.*,
        {{ allocate_largest_remainder(
            exact_integer('based.basis_seconds') ~ ' * ' ~ share_units, 'based.total_seconds',
            'based.ticket_slt_key', 'based.first_held_at, based.holder_code'
        ) }} as share_units,
        row_number() over (
            partition by based.ticket_slt_key
            order by based.basis_seconds desc, based.first_held_at asc, based.holder_code asc
        ) = 1 as is_longest_holder,
        sum(case when based.basis_seconds > 0 then 1 else 0 end) over (partition by based.ticket_slt_key)
            as holder_count,
        coalesce(spells.holder_code is not null, false) as is_holder_at_breach
    from based
    left join spells
        on
            based.ticket_key = spells.ticket_key
            and based.holder_code = spells.holder_code
            and based.target_reached_at >= spells.held_from_at
            and based.target_reached_at < spells.held_to_at
),

final as (
    select
        cast(ticket_slt_key as varchar) as ticket_slt_key,
        cast(holder_code as varchar) as holder_code,
        cast(team_code as varchar) as team_code,
        cast(assignment_group_name as varchar) as assignment_group_name,
        cast(slt_code as varchar) as slt_code,
        cast(service_code as varchar) as service_code,
        cast(breach_class as varchar) as breach_class,
        cast(net_seconds as bigint) as net_seconds,
        cast(excluded_seconds as bigint) as excluded_seconds,
        cast(case when is_net_basis then 'net' else 'excluded' end as varchar) as share_basis,
        {{ from_integer_units('share_units', 6) }} as held_share,
        cast(is_longest_holder as boolean) as is_longest_holder,
        cast(is_holder_at_breach as boolean) as is_holder_at_breach,
        cast(holder_count > 1 as boolean) as is_cross_functional,
        cast(is_measured as boolean) as is_measured,
        cast(first_held_at as timestamp) as first_held_at
    from shared
)

select * from final
