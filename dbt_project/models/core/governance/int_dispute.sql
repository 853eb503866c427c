-- Where each dispute stands at the run's instant: inside its window or late, at which level, decided or overdue.
with disputes as (
    select * from {{ ref('dispute') }}
),

rules as (
    select * from {{ ref('dispute_rule') }}
    where level_number = 1
),

steps as (
    select * from {{ ref('dispute_step') }}
),

levels as (
    select * from {{ ref('int_dispute_level') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

known as (
    select
        disputes.*,
        run_context.as_of_at,
        rules.dispute_type is not null as has_rule,
        rules.publication_days,
        rules.contest_window_days,
        cast(
            case disputes.period_grain
                when 'month' then {{ add_months('disputes.period_start_on', 1) }}
                else {{ add_months('disputes.period_start_on', 3) }}
            end as date
        ) as period_end_on
    from disputes
    cross join run_context
    left join rules
        on
            disputes.dispute_type = rules.dispute_type
            and cast(disputes.opened_at as date) >= rules.effective_from
            and cast(disputes.opened_at as date) <= coalesce(rules.effective_to, date '9999-12-31')
    where disputes.recorded_at <= run_context.as_of_at
),

-- only who opened it takes a dispute back
taken_back as (
    select
        steps.dispute_id,
        min(steps.step_at) as withdrawn_at
    from steps
    inner join known on steps.dispute_id = known.dispute_id and steps.actor = known.opened_by
    where
        steps.step_type = 'withdrawn'
        and steps.recorded_at <= known.as_of_at
        and steps.recorded_at >= steps.step_at
        and steps.step_at >= known.opened_at
    group by steps.dispute_id
),

current_level as (
    select *
    from levels
    qualify row_number() over (partition by dispute_id order by level_number desc) = 1
),

placed as (
    select
        known.*,
        {{ add_days('known.period_end_on', 'known.publication_days') }} as published_on,
        {{ add_days('known.period_end_on', 'known.publication_days + known.contest_window_days') }} as contest_end_on,
        current_level.level_number,
        current_level.last_level_number,
        current_level.instance_code,
        current_level.started_at as level_started_at,
        current_level.acknowledge_by_on,
        current_level.acknowledged_at,
        current_level.decide_by_on,
        current_level.decided_at,
        current_level.decided_by,
        current_level.outcome,
        current_level.decision_recorded_at,
        current_level.escalate_by_on,
        taken_back.withdrawn_at
    from known
    left join current_level on known.dispute_id = current_level.dispute_id
    left join taken_back on known.dispute_id = taken_back.dispute_id
),

judged as (
    select
        *,
        case
            when not has_rule then 'no_rule'
            when cast(opened_at as date) < published_on then 'early'
            when cast(opened_at as date) >= contest_end_on then 'late'
            else 'in_window'
        end as window_status
    from placed
),

final as (
    select
        dispute_id,
        dispute_type,
        metric_code,
        entity_type,
        entity_code,
        period_grain,
        period_start_on,
        period_end_on,
        subject_reference,
        claim,
        opened_by,
        opened_at,
        recorded_at,
        adjustment_id,
        published_on,
        contest_end_on,
        window_status,
        level_number,
        last_level_number,
        instance_code,
        level_started_at,
        acknowledge_by_on,
        acknowledged_at,
        decide_by_on,
        decided_at,
        decided_by,
        outcome,
        decision_recorded_at,
        escalate_by_on,
        withdrawn_at,
        case
            when window_status <> 'in_window' then 'inadmissible'
            when withdrawn_at is not null and (decided_at is null or withdrawn_at <= decided_at) then 'withdrawn'
            when decided_at is null and cast(as_of_at as date) > decide_by_on then 'overdue'
            when decided_at is null and acknowledged_at is null then 'open'
            when decided_at is null then 'acknowledged'
            when level_number < last_level_number and cast(as_of_at as date) <= escalate_by_on then 'decided'
            else 'closed'
        end as dispute_status,
        window_status = 'in_window'
        and coalesce(outcome = 'upheld', false)
        and (withdrawn_at is null or withdrawn_at > decided_at) as is_upheld
    from judged
)

select * from final
