-- Every dispute: in its window or late, where it stands, what is overdue, who is next, and whether an upheld one has
-- come to anything.
with disputes as (
    select * from {{ ref('int_dispute') }}
),

levels as (
    select * from {{ ref('int_dispute_level') }}
),

rules as (
    select * from {{ ref('dispute_rule') }}
),

parties as (
    select * from {{ ref('dispute_party') }}
),

effects as (
    select * from {{ ref('fct_score_adjustment_effect') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

overdue as (
    select
        dispute_id,
        max(case when is_acknowledged_late then 1 else 0 end) as acknowledged_late_step,
        max(case when is_decided_late then level_number end) as overdue_level_number
    from levels
    group by dispute_id
),

sharing as (
    select
        dispute_id,
        count(*) as team_count,
        {{ string_list('team_code', 'team_code') }} as team_codes,
        sum(claimed_share) as claimed_share,
        case when count(*) = count(decided_share) then sum(decided_share) end as decided_share
    from parties
    group by dispute_id
),

final as (
    select
        cast(disputes.dispute_id as varchar) as dispute_id,
        cast(disputes.dispute_type as varchar) as dispute_type,
        cast(disputes.metric_code as varchar) as metric_code,
        cast(disputes.entity_type as varchar) as entity_type,
        cast(disputes.entity_code as varchar) as entity_code,
        cast(disputes.period_grain as varchar) as period_grain,
        cast(disputes.period_start_on as date) as period_start_on,
        cast(disputes.subject_reference as varchar) as subject_reference,
        cast(disputes.claim as varchar) as claim,
        cast(disputes.opened_by as varchar) as opened_by_employee_number,
        cast(disputes.opened_at as timestamp) as opened_at,
        cast(disputes.published_on as date) as published_on,
        cast(disputes.contest_end_on as date) as contest_end_on,
        cast(disputes.window_status as varchar) as window_status,
        cast(
            case
                when cast(run_context.as_of_at as date) < disputes.contest_end_on
                    then {{ day_count('cast(run_context.as_of_at as date)', 'disputes.contest_end_on') }}
                else 0
            end as bigint
        ) as contest_left_days,
        cast(disputes.level_number as bigint) as level_number,
        cast(disputes.instance_code as varchar) as instance_code,
        cast(disputes.acknowledge_by_on as date) as acknowledge_by_on,
        cast(disputes.acknowledged_at as timestamp) as acknowledged_at,
        cast(disputes.decide_by_on as date) as decide_by_on,
        cast(disputes.decided_at as timestamp) as decided_at,
        cast(disputes.decided_by as varchar) as decided_by_employee_number,
        cast(disputes.outcome as varchar) as outcome,
        cast(disputes.escalate_by_on as date) as escalate_by_on,
        cast(disputes.dispute_status as varchar) as dispute_status,
        -- negative: days it has been overdue
        cast(
            case
                when disputes.dispute_status in ('open', 'acknowledged', 'overdue')
                    then {{ day_count('cast(run_context.as_of_at as date)', 'disputes.decide_by_on') }}
            end as bigint
        ) as decision_left_days,
        cast(coalesce(overdue.acknowledged_late_step, 0) = 1 as boolean) as is_acknowledged_late,
        cast(
            case
                when disputes.dispute_status not in ('inadmissible', 'withdrawn') then overdue.overdue_level_number
            end as bigint
        ) as overdue_level_number,
        cast(next_rule.instance_code as varchar) as next_instance_code,
        cast(coalesce(sharing.team_count, 0) as bigint) as sharing_team_count,
        cast(sharing.team_codes as varchar) as sharing_team_codes,
        cast(sharing.claimed_share as decimal(9, 4)) as claimed_share,
        cast(sharing.decided_share as decimal(9, 4)) as decided_share,
        cast(disputes.adjustment_id as varchar) as adjustment_id,
        cast(disputes.is_upheld as boolean) as is_upheld,
        cast(
            case
                when not disputes.is_upheld then 'none'
                when disputes.adjustment_id is null then 'adjustment_missing'
                when effects.adjustment_id is null then 'adjustment_unknown'
                when effects.is_applied then 'adjusted'
                else 'adjustment_refused'
            end as varchar
        ) as effect_status
    from disputes
    cross join run_context
    left join overdue on disputes.dispute_id = overdue.dispute_id
    left join sharing on disputes.dispute_id = sharing.dispute_id
    left join rules as next_rule
        on
            disputes.dispute_type = next_rule.dispute_type
            and disputes.level_number + 1 = next_rule.level_number
            and disputes.dispute_status in ('open', 'acknowledged', 'overdue', 'decided')
            and cast(disputes.opened_at as date) >= next_rule.effective_from
            and cast(disputes.opened_at as date) <= coalesce(next_rule.effective_to, date '9999-12-31')
    left join effects on disputes.adjustment_id = effects.adjustment_id
)

select * from final
