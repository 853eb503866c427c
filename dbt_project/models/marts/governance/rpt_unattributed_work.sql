-- Work on tickets that is nobody's, with the reason and what rests on it. Nothing that blocks pay may be paid for:
-- gate check chk_unattributed_work.
with agent_work as (
    select * from {{ ref('int_agent_work') }}
    where not is_attributed
),

unattributed_reason as (
    select * from {{ ref('unattributed_reason') }}
),

fct_ticket_slt as (
    select * from {{ ref('fct_ticket_slt') }}
    where stop_at is not null
),

fct_payout_trace as (
    select * from {{ ref('fct_payout_trace') }}
    where is_in_numerator and ticket_slt_key is not null
),

stopped as (
    select
        agent_work.work_key,
        fct_ticket_slt.ticket_slt_key
    from agent_work
    inner join fct_ticket_slt
        on
            agent_work.ticket_key = fct_ticket_slt.ticket_key
            and agent_work.worked_at = fct_ticket_slt.stop_at
),

paid as (
    select distinct stopped.ticket_slt_key
    from stopped
    inner join fct_payout_trace on stopped.ticket_slt_key = fct_payout_trace.ticket_slt_key
),

resting as (
    select
        stopped.work_key,
        count(*) as stopped_count,
        count(paid.ticket_slt_key) as paid_count
    from stopped
    left join paid on stopped.ticket_slt_key = paid.ticket_slt_key
    group by stopped.work_key
),

final as (
    select
        cast(agent_work.work_key as varchar) as work_key,
        cast(agent_work.source_system as varchar) as source_system,
        cast(agent_work.ticket_key as varchar) as ticket_key,
        cast(agent_work.user_name as varchar) as user_name,
        cast(agent_work.account_kind as varchar) as account_kind,
        cast(agent_work.worked_at as timestamp) as worked_at,
        cast(agent_work.change_count as bigint) as change_count,
        cast(agent_work.unattributed_reason as varchar) as reason_code,
        cast(unattributed_reason.pay_treatment as varchar) as pay_treatment,
        cast(coalesce(resting.stopped_count, 0) as bigint) as stopped_result_count,
        cast(coalesce(resting.paid_count, 0) as bigint) as paid_result_count,
        cast(agent_work.batch_id as varchar) as batch_id
    from agent_work
    left join unattributed_reason on agent_work.unattributed_reason = unattributed_reason.reason_code
    left join resting on agent_work.work_key = resting.work_key
)

select * from final
