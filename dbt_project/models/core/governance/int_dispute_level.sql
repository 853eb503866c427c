{%- set levels = [1, 2, 3] -%}
-- Each level a dispute has reached: when it began, by when it had to be acknowledged and decided, what was decided by
-- whom, and whether the matter went on to the next level in time.
with disputes as (
    select * from {{ ref('dispute') }}
),

rules as (
    select * from {{ ref('dispute_rule') }}
),

steps as (
    select * from {{ ref('dispute_step') }}
),

members as (
    select * from {{ ref('governance_member') }}
),

business_days as (
    select * from {{ ref('int_business_day') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

known as (
    select
        disputes.dispute_id,
        disputes.dispute_type,
        disputes.opened_by,
        disputes.opened_at,
        run_context.as_of_at
    from disputes
    cross join run_context
    where disputes.recorded_at <= run_context.as_of_at
),

rule_in_force as (
    select
        known.dispute_id,
        known.opened_by,
        known.opened_at,
        known.as_of_at,
        rules.level_number,
        rules.instance_code,
        rules.calendar_code,
        rules.acknowledgement_days,
        rules.turnaround_days,
        rules.escalation_days,
        max(rules.level_number) over (partition by known.dispute_id) as last_level_number
    from known
    inner join rules
        on
            known.dispute_type = rules.dispute_type
            and cast(known.opened_at as date) >= rules.effective_from
            and cast(known.opened_at as date) <= coalesce(rules.effective_to, date '9999-12-31')
),

-- who decides sits on the instance of the level, or holds its role, that day, by what was on record when the decision
-- was taken down, and did not open the dispute
step as (
    select
        steps.dispute_id,
        steps.level_number,
        steps.step_type,
        steps.actor,
        steps.step_at,
        steps.outcome,
        steps.recorded_at,
        max(
            case
                when
                    steps.step_type <> 'decided'
                    or (members.employee_number is not null and steps.actor <> rule_in_force.opened_by)
                    then 1
                else 0
            end
        ) as is_entitled
    from steps
    inner join rule_in_force
        on
            steps.dispute_id = rule_in_force.dispute_id
            and steps.level_number = rule_in_force.level_number
    left join members
        on
            steps.actor = members.employee_number
            and (rule_in_force.instance_code = members.body_code or rule_in_force.instance_code = members.role_code)
            and {{ in_office('members', 'cast(steps.step_at as date)', 'steps.recorded_at') }}
    where steps.recorded_at <= rule_in_force.as_of_at and steps.recorded_at >= steps.step_at
    group by
        steps.dispute_id,
        steps.level_number,
        steps.step_type,
        steps.actor,
        steps.step_at,
        steps.outcome,
        steps.recorded_at
),
{% for level in levels %}
started_{{ level }} as (
    {% if level == 1 -%}
    select
        dispute_id,
        opened_at as started_at
    from known
    {%- else -%}
    select
        dispute_id,
        escalated_at as started_at
    from level_{{ level - 1 }}
    where escalated_at is not null
    {%- endif %}
),

-- the last working day up to the start is day zero
due_{{ level }} as (
    select
        rule_in_force.dispute_id,
        rule_in_force.level_number,
        rule_in_force.last_level_number,
        rule_in_force.instance_code,
        rule_in_force.calendar_code,
        rule_in_force.as_of_at,
        rule_in_force.acknowledgement_days,
        rule_in_force.turnaround_days,
        rule_in_force.escalation_days,
        started_{{ level }}.started_at,
        max(business_days.business_day_number) as start_day_number
    from started_{{ level }}
    inner join rule_in_force
        on started_{{ level }}.dispute_id = rule_in_force.dispute_id and rule_in_force.level_number = {{ level }}
    left join business_days
        on
            rule_in_force.calendar_code = business_days.calendar_code
            and cast(started_{{ level }}.started_at as date) >= business_days.business_on
    group by
        rule_in_force.dispute_id,
        rule_in_force.level_number,
        rule_in_force.last_level_number,
        rule_in_force.instance_code,
        rule_in_force.calendar_code,
        rule_in_force.as_of_at,
        rule_in_force.acknowledgement_days,
        rule_in_force.turnaround_days,
        rule_in_force.escalation_days,
        started_{{ level }}.started_at
),

acknowledged_{{ level }} as (
    select
        due_{{ level }}.dispute_id,
        min(step.step_at) as acknowledged_at
    from due_{{ level }}
    inner join step
        on
            due_{{ level }}.dispute_id = step.dispute_id
            and due_{{ level }}.level_number = step.level_number
            and step.step_type = 'acknowledged'
            and due_{{ level }}.started_at <= step.step_at
    group by due_{{ level }}.dispute_id
),

decided_{{ level }} as (
    select
        due_{{ level }}.dispute_id,
        step.step_at as decided_at,
        step.actor as decided_by,
        step.outcome,
        step.recorded_at as decision_recorded_at
    from due_{{ level }}
    inner join step
        on
            due_{{ level }}.dispute_id = step.dispute_id
            and due_{{ level }}.level_number = step.level_number
            and step.step_type = 'decided'
            and step.is_entitled = 1
            and due_{{ level }}.started_at <= step.step_at
    qualify row_number() over (
            partition by due_{{ level }}.dispute_id order by step.step_at, step.recorded_at, step.actor
        ) = 1
),

decision_day_{{ level }} as (
    select
        decided_{{ level }}.dispute_id,
        max(business_days.business_day_number) as decision_day_number
    from decided_{{ level }}
    inner join due_{{ level }} on decided_{{ level }}.dispute_id = due_{{ level }}.dispute_id
    inner join business_days
        on
            due_{{ level }}.calendar_code = business_days.calendar_code
            and cast(decided_{{ level }}.decided_at as date) >= business_days.business_on
    group by decided_{{ level }}.dispute_id
),

term_{{ level }} as (
    select
        due_{{ level }}.*,
        acknowledged_{{ level }}.acknowledged_at,
        decided_{{ level }}.decided_at,
        decided_{{ level }}.decided_by,
        decided_{{ level }}.outcome,
        decided_{{ level }}.decision_recorded_at,
        acknowledgement_day.business_on as acknowledge_by_on,
        turnaround_day.business_on as decide_by_on,
        escalation_day.business_on as escalate_by_on
    from due_{{ level }}
    left join acknowledged_{{ level }} on due_{{ level }}.dispute_id = acknowledged_{{ level }}.dispute_id
    left join decided_{{ level }} on due_{{ level }}.dispute_id = decided_{{ level }}.dispute_id
    left join decision_day_{{ level }} on due_{{ level }}.dispute_id = decision_day_{{ level }}.dispute_id
    left join business_days as acknowledgement_day
        on
            due_{{ level }}.calendar_code = acknowledgement_day.calendar_code
            and due_{{ level }}.start_day_number + due_{{ level }}.acknowledgement_days
            = acknowledgement_day.business_day_number
    left join business_days as turnaround_day
        on
            due_{{ level }}.calendar_code = turnaround_day.calendar_code
            and due_{{ level }}.start_day_number + due_{{ level }}.turnaround_days = turnaround_day.business_day_number
    left join business_days as escalation_day
        on
            due_{{ level }}.calendar_code = escalation_day.calendar_code
            and decision_day_{{ level }}.decision_day_number + due_{{ level }}.escalation_days
            = escalation_day.business_day_number
),

-- a decision can be taken further within its term; a level that has let its own term pass can be passed over
level_{{ level }} as (
    select
        term_{{ level }}.dispute_id,
        term_{{ level }}.level_number,
        term_{{ level }}.last_level_number,
        term_{{ level }}.instance_code,
        term_{{ level }}.as_of_at,
        term_{{ level }}.started_at,
        term_{{ level }}.acknowledge_by_on,
        term_{{ level }}.acknowledged_at,
        term_{{ level }}.decide_by_on,
        term_{{ level }}.decided_at,
        term_{{ level }}.decided_by,
        term_{{ level }}.outcome,
        term_{{ level }}.decision_recorded_at,
        term_{{ level }}.escalate_by_on,
        min(step.step_at) as escalated_at
    from term_{{ level }}
    left join step
        on
            term_{{ level }}.dispute_id = step.dispute_id
            and term_{{ level }}.level_number = step.level_number
            and step.step_type = 'escalated'
            and term_{{ level }}.level_number < term_{{ level }}.last_level_number
            and term_{{ level }}.started_at <= step.step_at
            and (
                (
                    term_{{ level }}.decided_at <= step.step_at
                    and cast(step.step_at as date) <= term_{{ level }}.escalate_by_on
                )
                or (
                    (term_{{ level }}.decided_at is null or term_{{ level }}.decided_at > step.step_at)
                    and cast(step.step_at as date) > term_{{ level }}.decide_by_on
                )
            )
    group by
        term_{{ level }}.dispute_id,
        term_{{ level }}.level_number,
        term_{{ level }}.last_level_number,
        term_{{ level }}.instance_code,
        term_{{ level }}.as_of_at,
        term_{{ level }}.started_at,
        term_{{ level }}.acknowledge_by_on,
        term_{{ level }}.acknowledged_at,
        term_{{ level }}.decide_by_on,
        term_{{ level }}.decided_at,
        term_{{ level }}.decided_by,
        term_{{ level }}.outcome,
        term_{{ level }}.decision_recorded_at,
        term_{{ level }}.escalate_by_on
),
{% endfor %}
levels as (
    {% for level in levels -%}
    select * from level_{{ level }}
    {%- if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

final as (
    select
        dispute_id,
        level_number,
        last_level_number,
        instance_code,
        started_at,
        acknowledge_by_on,
        acknowledged_at,
        decide_by_on,
        decided_at,
        decided_by,
        outcome,
        decision_recorded_at,
        escalate_by_on,
        escalated_at,
        cast(coalesce(acknowledged_at, least(decided_at, as_of_at), as_of_at) as date) > acknowledge_by_on
            as is_acknowledged_late,
        cast(coalesce(decided_at, escalated_at, as_of_at) as date) > decide_by_on as is_decided_late
    from levels
)

select * from final
