{{ config(materialized='by_ticket') }}
with steps as (
    select * from {{ ref('int_ticket_step') }}
    where {{ for_tickets('ticket_id') }}
),

tickets as (
    select * from {{ ref('int_ticket') }}
    where {{ for_tickets('ticket_id') }}
),

definitions as (
    select * from {{ ref('int_slt_definition') }}
    where is_attachable
),

situations as (
    select * from {{ ref('int_ticket_situation') }}
),

conditions_met as (
    select * from {{ ref('int_slt_situation') }}
),

telescoped as (
    select * from {{ ref('int_slt_telescoped') }}
    where {{ for_tickets('ticket_id') }}
),

clocks as (
    select
        tickets.ticket_id,
        tickets.ticket_key,
        tickets.ticket_key || ':' || definitions.slt_code as ticket_slt_key,
        tickets.has_history_contradiction,
        definitions.slt_code,
        definitions.slt_version,
        definitions.reopen_policy,
        definitions.is_retroactive_start,
        definitions.is_retroactive_pause
    from tickets
    inner join definitions
        on
            tickets.source_system = definitions.source_system
            and cast(tickets.opened_at as date) >= definitions.effective_from
            and cast(tickets.opened_at as date) <= coalesce(definitions.effective_to, date '9999-12-31')
    left join telescoped
        on
            tickets.ticket_id = telescoped.ticket_id
            and definitions.slot_number = telescoped.slot_number
    where telescoped.ticket_id is null
),

met as (
    select
        clocks.*,
        steps.event_at,
        steps.situation_after_id,
        situations.ticket_state,
        conditions_met.is_pause,
        conditions_met.is_reset,
        conditions_met.own_role,
        lag(conditions_met.is_reset) over history as was_reset,
        min(case when conditions_met.can_attach then steps.event_at end) over (
            partition by steps.ticket_id, clocks.slt_code
        ) as attached_at,
        steps.is_state_carried,
        steps.is_inferred,
        steps.batch_id
    from steps
    inner join clocks on steps.ticket_id = clocks.ticket_id
    inner join conditions_met
        on
            steps.situation_after_id = conditions_met.situation_id
            and clocks.slt_code = conditions_met.slt_code
            and clocks.slt_version = conditions_met.slt_version
    inner join situations on steps.situation_after_id = situations.situation_id
    window history as (partition by steps.ticket_id, clocks.slt_code order by steps.event_at)
),

-- before the clock attaches nothing of it holds, unless it starts in retrospect
attached as (
    select
        *,
        case
            when event_at >= attached_at then own_role
            when is_retroactive_pause and is_pause then 'paused'
            else 'running'
        end as stated_role
    from met
    where attached_at is not null and (event_at >= attached_at or is_retroactive_start)
),

carried as (
    select
        *,
        last_value(stated_role ignore nulls) over (
            partition by ticket_slt_key
            order by event_at
            rows between unbounded preceding and current row
        ) as known_role
    from attached
),

-- without a role of its own the situation leaves a paused clock paused and lets any other run
settled as (
    select
        *,
        case
            when stated_role is not null then stated_role
            when known_role = 'paused' then 'paused'
            else 'running'
        end as clock_role
    from carried
),

turned as (
    select
        *,
        case
            when event_at <= attached_at then 0
            when is_reset and not was_reset then 1
            when
                reopen_policy = 'new_cycle'
                and clock_role not in ('stopped', 'canceled')
                and lag(clock_role) over (partition by ticket_slt_key order by event_at)
                in ('stopped', 'canceled')
                then 1
            else 0
        end as is_cycle_start
    from settled
),

cycled as (
    select
        *,
        1 + sum(is_cycle_start) over (
            partition by ticket_slt_key
            order by event_at
            rows between unbounded preceding and current row
        ) as cycle_number,
        1 + sum(is_cycle_start) over (partition by ticket_slt_key) as last_cycle_number
    from turned
),

-- only the last cycle is measured: a reset or a new cycle begins the clock anew
final as (
    select
        ticket_slt_key,
        ticket_id,
        ticket_key,
        slt_code,
        slt_version,
        has_history_contradiction,
        cast(cycle_number as integer) as cycle_number,
        event_at,
        situation_after_id as situation_id,
        ticket_state,
        clock_role,
        stated_role is null or is_state_carried as is_role_carried,
        is_inferred,
        batch_id
    from cycled
    where cycle_number = last_cycle_number
)

select * from final
