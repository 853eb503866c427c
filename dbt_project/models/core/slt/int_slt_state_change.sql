with tickets as (
    select * from {{ ref('int_ticket') }}
),

events as (
    select * from {{ ref('int_ticket_event') }}
),

definitions as (
    select * from {{ ref('slt_definition') }}
),

conditions as (
    select * from {{ ref('slt_condition') }}
),

-- of several events at one instant the last one holds
settled as (
    select *
    from events
    qualify row_number() over (partition by ticket_key, event_at order by event_sequence desc) = 1
),

changes as (
    select *
    from settled
    qualify coalesce(
            ticket_state <> lag(ticket_state) over (partition by ticket_key order by event_at), true
        )
),

with_roles as (
    select
        changes.ticket_key,
        tickets.source_system,
        definitions.slt_code,
        definitions.slt_version,
        definitions.phase,
        definitions.reopen_policy,
        definitions.target_policy,
        definitions.exclusion_audience,
        definitions.at_risk_share,
        tickets.opened_at,
        tickets.has_history_contradiction,
        changes.event_sequence,
        changes.event_at,
        changes.ticket_state,
        case when conditions.clock_role <> 'carry' then conditions.clock_role end as own_role,
        changes.is_inferred,
        changes.batch_id
    from changes
    inner join tickets on changes.ticket_key = tickets.ticket_key
    inner join definitions
        on
            tickets.source_system = definitions.source_system
            and cast(tickets.opened_at as date) >= definitions.effective_from
            and cast(tickets.opened_at as date) <= coalesce(definitions.effective_to, date '9999-12-31')
    left join conditions
        on
            definitions.slt_code = conditions.slt_code
            and changes.ticket_state = conditions.ticket_state
),

carried as (
    select
        *,
        ticket_key || ':' || slt_code as ticket_slt_key,
        -- a state that says nothing of the clock keeps it as it was; before anything is known it runs
        coalesce(
            last_value(own_role ignore nulls) over (
                partition by ticket_key, slt_code
                order by event_at
                rows between unbounded preceding and current row
            ),
            'running'
        ) as clock_role
    from with_roles
),

final as (
    select
        ticket_slt_key,
        ticket_key,
        source_system,
        slt_code,
        slt_version,
        phase,
        reopen_policy,
        target_policy,
        exclusion_audience,
        at_risk_share,
        opened_at,
        has_history_contradiction,
        event_sequence,
        event_at,
        ticket_state,
        clock_role,
        is_inferred,
        own_role is null as is_role_carried,
        batch_id
    from carried
)

select * from final
