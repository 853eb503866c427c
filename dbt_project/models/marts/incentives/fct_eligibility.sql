-- Whether each participant met each condition of the plan in each quarter, and what part of the pay it leaves: the
-- conditions of int_eligibility, and disqualification for repeated non-compliance, counted over the quarters looked
-- back on.
with eligibility as (
    select * from {{ ref('int_eligibility') }}
),

participant as (
    select * from {{ ref('int_incentive_participant') }}
),

disqualification_rule as (
    select * from {{ ref('disqualification_rule') }}
),

reporting_period as (
    select * from {{ ref('int_reporting_period') }}
    where period_grain = 'quarter' and is_complete
),

metric_result as (
    select * from {{ ref('fct_metric_result') }}
    where period_grain = 'quarter' and entity_type = 'team'
),

improvement_plan as (
    select * from {{ ref('improvement_plan') }}
),

-- the rule in force on the quarter's first day holds for all of it
judged as (
    select
        participant.*,
        disqualification_rule.rule_code,
        disqualification_rule.evidence_kind,
        disqualification_rule.metric_code,
        disqualification_rule.least_value,
        disqualification_rule.look_back_quarters,
        disqualification_rule.least_fault_count,
        disqualification_rule.share_kept
    from participant
    inner join disqualification_rule
        on
            participant.plan_code = disqualification_rule.plan_code
            and participant.plan_version = disqualification_rule.plan_version
            and participant.period_start_on >= disqualification_rule.effective_from
            and (
                disqualification_rule.effective_to is null
                or participant.period_start_on <= disqualification_rule.effective_to
            )
),

-- too little data is no non-compliance
fault as (
    select
        judged.plan_code,
        judged.plan_version,
        judged.employee_number,
        judged.earned_quarter,
        judged.team_code,
        judged.rule_code,
        metric_result.period_start_on as fault_on,
        metric_result.metric_code || ' ' || cast(metric_result.metric_value as varchar) || ' from '
        || cast(metric_result.period_start_on as varchar) as evidence
    from judged
    inner join metric_result
        on
            judged.metric_code = metric_result.metric_code
            and judged.team_code = metric_result.entity_code
            and judged.period_start_on >= metric_result.period_start_on
            and {{ add_months('judged.period_start_on', '-3 * (judged.look_back_quarters - 1)') }}
            <= metric_result.period_start_on
    where
        judged.evidence_kind = 'result_below'
        and metric_result.result_status = 'ok'
        and metric_result.metric_value < judged.least_value

    union all

    -- an improvement plan still open after the day it was due, at the end of the quarter
    select
        judged.plan_code,
        judged.plan_version,
        judged.employee_number,
        judged.earned_quarter,
        judged.team_code,
        judged.rule_code,
        reporting_period.period_start_on as fault_on,
        min(improvement_plan.improvement_plan_code) || ' overdue in ' || reporting_period.period_code as evidence
    from judged
    inner join reporting_period
        on
            judged.period_start_on >= reporting_period.period_start_on
            and {{ add_months('judged.period_start_on', '-3 * (judged.look_back_quarters - 1)') }}
            <= reporting_period.period_start_on
    inner join improvement_plan
        on
            judged.employee_number = improvement_plan.owner_employee_number
            and reporting_period.period_end_on > improvement_plan.opened_on
            and reporting_period.period_end_on > improvement_plan.due_on
            and (
                improvement_plan.closed_on is null
                or reporting_period.period_end_on <= improvement_plan.closed_on
            )
    where judged.evidence_kind = 'improvement_overdue'
    group by
        judged.plan_code,
        judged.plan_version,
        judged.employee_number,
        judged.earned_quarter,
        judged.team_code,
        judged.rule_code,
        reporting_period.period_start_on,
        reporting_period.period_code
),

counted as (
    select
        plan_code,
        plan_version,
        employee_number,
        earned_quarter,
        team_code,
        rule_code,
        count(*) as fault_count,
        min(fault_on) as first_fault_on,
        {{ string_list('evidence', 'fault_on') }} as evidence
    from fault
    group by plan_code, plan_version, employee_number, earned_quarter, team_code, rule_code
),

disqualified as (
    select
        judged.*,
        coalesce(counted.fault_count, 0) >= judged.least_fault_count as is_disqualified,
        counted.evidence,
        counted.first_fault_on
    from judged
    left join counted
        on
            judged.plan_code = counted.plan_code
            and judged.plan_version = counted.plan_version
            and judged.employee_number = counted.employee_number
            and judged.earned_quarter = counted.earned_quarter
            and judged.team_code = counted.team_code
            and judged.rule_code = counted.rule_code
),

verdict as (
    select
        plan_code,
        plan_version,
        employee_number,
        earned_quarter,
        period_start_on,
        period_end_on,
        team_code,
        rule_code,
        rule_kind,
        is_met,
        share_kept,
        reason,
        evidence,
        since_on
    from eligibility

    union all

    select
        plan_code,
        plan_version,
        employee_number,
        earned_quarter,
        period_start_on,
        period_end_on,
        team_code,
        rule_code,
        evidence_kind as rule_kind,
        not is_disqualified as is_met,
        share_kept,
        case when is_disqualified then 'repeated_non_compliance' end as reason,
        coalesce(evidence, 'none in the quarters looked back on') as evidence,
        coalesce(first_fault_on, period_start_on) as since_on
    from disqualified
),

final as (
    select
        cast({{ md5_of([
            'plan_code', 'plan_version', 'employee_number', 'earned_quarter', 'team_code', 'rule_code'
        ]) }} as varchar) as eligibility_id,
        cast(plan_code as varchar) as plan_code,
        cast(plan_version as integer) as plan_version,
        cast(employee_number as varchar) as employee_number,
        cast(earned_quarter as varchar) as earned_quarter,
        cast(period_start_on as date) as period_start_on,
        cast(period_end_on as date) as period_end_on,
        cast(team_code as varchar) as team_code,
        cast(rule_code as varchar) as rule_code,
        cast(rule_kind as varchar) as rule_kind,
        cast(is_met as boolean) as is_met,
        cast(case when is_met then 1 else share_kept end as decimal(9, 4)) as eligible_share,
        cast(reason as varchar) as reason,
        cast(evidence as varchar) as evidence,
        cast(since_on as date) as since_on
    from verdict
)

select * from final
