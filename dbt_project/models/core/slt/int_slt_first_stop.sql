with telescoped as (
    select * from {{ ref('int_slt_telescoped') }}
),

steps as (
    select * from {{ ref('int_ticket_step') }}
),

ticket_ids as (
    select * from {{ ref('int_ticket_id') }}
),

situations as (
    select * from {{ ref('int_ticket_situation') }}
),

conditions_met as (
    select * from {{ ref('int_slt_situation') }}
),

changes as (
    select * from {{ ref('int_slt_state_change') }}
),

stops as (
    select
        telescoped.ticket_id,
        conditions_met.slt_code,
        min(case when conditions_met.own_role = 'stopped' then steps.event_at end) as first_stop_at,
        max(case when situations.ticket_state = 'closed' then steps.event_at end) as closed_at
    from telescoped
    inner join steps on telescoped.ticket_id = steps.ticket_id
    inner join conditions_met
        on
            steps.situation_after_id = conditions_met.situation_id
            and telescoped.slot_number = conditions_met.slot_number
    inner join situations on steps.situation_after_id = situations.situation_id
    group by telescoped.ticket_id, conditions_met.slt_code
),

final as (
    select
        ticket_ids.ticket_key || ':' || stops.slt_code as ticket_slt_key,
        stops.first_stop_at,
        stops.closed_at
    from stops
    inner join ticket_ids on stops.ticket_id = ticket_ids.ticket_id
    union all
    select
        ticket_slt_key,
        min(case when clock_role = 'stopped' then event_at end) as first_stop_at,
        max(case when ticket_state = 'closed' then event_at end) as closed_at
    from changes
    group by ticket_slt_key
)

select * from final
