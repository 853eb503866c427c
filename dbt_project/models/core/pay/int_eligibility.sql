-- Every condition of a plan that is judged by what systems and HRIS hold: for each participant, quarter and team
-- whether it is met, since when, and by which records. Conditions that rest on results are in fct_eligibility.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

participant as (
    select * from {{ ref('int_incentive_participant') }}
),

eligibility_rule as (
    select * from {{ ref('eligibility_rule') }}
),

employees as (
    select * from {{ ref('stg_bamboohr__employees') }}
),

acknowledgements as (
    select * from {{ ref('stg_bamboohr__plan_acknowledgements') }}
),

problems as (
    select * from {{ ref('stg_servicenow__problems') }}
),

desk_groups as (
    select * from {{ ref('stg_servicenow__groups') }}
),

team as (
    select * from {{ ref('team') }}
),

-- the rule in force on the quarter's first day holds for all of it
judged as (
    select
        participant.*,
        eligibility_rule.rule_code,
        eligibility_rule.rule_kind,
        eligibility_rule.share_kept,
        eligibility_rule.communication_code,
        eligibility_rule.latest_hired_on,
        eligibility_rule.least_days,
        eligibility_rule.due_days,
        eligibility_rule.least_incident_count
    from participant
    inner join eligibility_rule
        on
            participant.plan_code = eligibility_rule.plan_code
            and participant.plan_version = eligibility_rule.plan_version
            and participant.period_start_on >= eligibility_rule.effective_from
            and (
                eligibility_rule.effective_to is null
                or participant.period_start_on <= eligibility_rule.effective_to
            )
),

signature as (
    select
        employees.employee_number,
        acknowledgements.plan_code,
        acknowledgements.plan_version,
        acknowledgements.communication_code,
        min(acknowledgements.sent_on) as sent_on,
        min(
            case when acknowledgements.acknowledged_at <= run_context.as_of_at then acknowledgements.acknowledged_at end
        ) as signed_at,
        min(acknowledgements.plan_acknowledgement_id) as evidence
    from acknowledgements
    cross join run_context
    inner join employees on acknowledgements.employee_id = employees.employee_id
    group by
        employees.employee_number,
        acknowledgements.plan_code,
        acknowledgements.plan_version,
        acknowledgements.communication_code
),

hire as (
    select
        employee_number,
        max(hired_on) as hired_on
    from employees
    group by employee_number
),

-- recurring: so many incidents hang on one problem; its cause is due so many days after it was opened
recurring as (
    select
        team.team_code,
        problems.number,
        problems.opened_at,
        problems.confirmed_at,
        problems.related_incident_count
    from problems
    inner join desk_groups on problems.assignment_group_id = desk_groups.group_id
    inner join team on desk_groups.group_name = team.assignment_group_name
),

due as (
    select
        judged.plan_code,
        judged.plan_version,
        judged.employee_number,
        judged.earned_quarter,
        judged.team_code,
        judged.rule_code,
        recurring.number,
        recurring.confirmed_at,
        {{ add_seconds('recurring.opened_at', 'judged.due_days * 86400') }} as due_at
    from judged
    inner join recurring
        on
            judged.team_code = recurring.team_code
            and recurring.related_incident_count >= judged.least_incident_count
            and {{ add_seconds('recurring.opened_at', 'judged.due_days * 86400') }}
            >= cast(judged.period_start_on as timestamp)
            and {{ add_seconds('recurring.opened_at', 'judged.due_days * 86400') }}
            < cast(judged.period_end_on as timestamp)
    where judged.rule_kind = 'root_cause'
),

root_cause as (
    select
        plan_code,
        plan_version,
        employee_number,
        earned_quarter,
        team_code,
        rule_code,
        count(*) as due_count,
        sum(case when confirmed_at <= due_at then 0 else 1 end) as open_count,
        {{ string_list("case when coalesce(confirmed_at <= due_at, false) then null else number end", 'number') }}
            as open_numbers,
        {{ string_list('number', 'number') }} as due_numbers,
        min(case when coalesce(confirmed_at <= due_at, false) then null else due_at end) as open_since_at,
        max(case when confirmed_at <= due_at then confirmed_at end) as confirmed_at
    from due
    group by plan_code, plan_version, employee_number, earned_quarter, team_code, rule_code
),

verdict as (
    select
        judged.*,
        signature.signed_at is not null as is_met,
        case
            when signature.sent_on is null then 'acknowledgement_not_sent'
            when signature.signed_at is null then 'acknowledgement_not_signed'
        end as reason,
        signature.evidence,
        coalesce(cast(signature.signed_at as date), signature.sent_on) as since_on
    from judged
    left join signature
        on
            judged.employee_number = signature.employee_number
            and judged.plan_code = signature.plan_code
            and judged.plan_version = signature.plan_version
            and judged.communication_code = signature.communication_code
    where judged.rule_kind = 'acknowledgement'

    union all

    select
        judged.*,
        coalesce(hire.hired_on <= judged.latest_hired_on, false) as is_met,
        case
            when not coalesce(hire.hired_on <= judged.latest_hired_on, false) then 'hired_after_the_cohort'
        end as reason,
        'hired ' || cast(hire.hired_on as varchar) as evidence,
        hire.hired_on as since_on
    from judged
    left join hire on judged.employee_number = hire.employee_number
    where judged.rule_kind = 'cohort'

    union all

    select
        judged.*,
        coalesce({{ day_count('hire.hired_on', 'judged.period_end_on') }} >= judged.least_days, false) as is_met,
        case
            when not coalesce({{ day_count('hire.hired_on', 'judged.period_end_on') }} >= judged.least_days, false)
                then 'tenure_too_short'
        end as reason,
        'hired ' || cast(hire.hired_on as varchar) as evidence,
        {{ add_days('hire.hired_on', 'judged.least_days') }} as since_on
    from judged
    left join hire on judged.employee_number = hire.employee_number
    where judged.rule_kind = 'tenure'

    union all

    select
        judged.*,
        coalesce(root_cause.open_count, 0) = 0 as is_met,
        case when root_cause.open_count > 0 then 'root_cause_late_or_missing' end as reason,
        coalesce(root_cause.open_numbers, root_cause.due_numbers, 'no recurring incident was due') as evidence,
        coalesce(cast(root_cause.open_since_at as date), cast(root_cause.confirmed_at as date), judged.period_start_on)
            as since_on
    from judged
    left join root_cause
        on
            judged.plan_code = root_cause.plan_code
            and judged.plan_version = root_cause.plan_version
            and judged.employee_number = root_cause.employee_number
            and judged.earned_quarter = root_cause.earned_quarter
            and judged.team_code = root_cause.team_code
            and judged.rule_code = root_cause.rule_code
    where judged.rule_kind = 'root_cause'
),

final as (
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
    from verdict
)

select * from final
