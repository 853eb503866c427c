with situations as (
    select
        situation_id,
        source_system,
        ticket_state,
        cast(priority as varchar) as priority,
        service_code,
        team_code,
        contract_code
    from {{ ref('int_ticket_situation') }}
),

definitions as (
    select * from {{ ref('int_slt_definition') }}
    where is_attachable
),

conditions as (
    select * from {{ ref('slt_condition') }}
),

clauses as (
    select
        situations.situation_id,
        conditions.slt_code,
        conditions.slt_version,
        conditions.condition,
        conditions.clause,
        min(case when {{ slt_condition_holds('situations', 'conditions') }} then 1 else 0 end) as is_met
    from situations
    inner join definitions on situations.source_system = definitions.source_system
    inner join conditions
        on
            definitions.slt_code = conditions.slt_code
            and definitions.slt_version = conditions.slt_version
    group by
        situations.situation_id,
        conditions.slt_code,
        conditions.slt_version,
        conditions.condition,
        conditions.clause
),

met as (
    select
        situation_id,
        slt_code,
        slt_version,
        max(case when condition = 'start' then is_met else 0 end) = 1 as is_start,
        max(case when condition = 'stop' then is_met else 0 end) = 1 as is_stop,
        max(case when condition = 'pause' then is_met else 0 end) = 1 as is_pause,
        max(case when condition = 'resume' then is_met else 0 end) = 1 as is_resume,
        max(case when condition = 'cancel' then is_met else 0 end) = 1 as is_cancel,
        max(case when condition = 'reset' then is_met else 0 end) = 1 as is_reset
    from clauses
    group by situation_id, slt_code, slt_version
),

final as (
    select
        met.situation_id,
        met.slt_code,
        met.slt_version,
        definitions.slot_number,
        met.is_pause,
        met.is_reset,
        met.is_start
        and (definitions.is_attached_when_stopped or not (met.is_stop or met.is_cancel)) as can_attach,
        -- null: what the clock did before decides (a pause that only its resume condition ends)
        case
            when met.is_cancel then 'canceled'
            when met.is_stop then 'stopped'
            when met.is_pause then 'paused'
            when definitions.resume_policy <> 'on_condition' or met.is_resume then 'running'
        end as own_role
    from met
    inner join definitions
        on
            met.slt_code = definitions.slt_code
            and met.slt_version = definitions.slt_version
)

select * from final
