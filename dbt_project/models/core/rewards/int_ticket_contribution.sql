-- What was recorded as a contribution to a resolved ticket, each judged by the rule in force when it was resolved.
with ticket_contribution as (
    select * from {{ ref('ticket_contribution') }}
),

ticket_course as (
    select * from {{ ref('int_ticket_course') }}
    where observation_status = 'observed'
),

credit_rule as (
    select * from {{ ref('credit_rule') }}
),

credit_contribution as (
    select * from {{ ref('credit_contribution') }}
),

employee_assignment as (
    select * from {{ ref('int_employee_assignment') }}
),

-- an article or an analysis counts once for a ticket and a person, however often it is recorded
numbered as (
    select
        *,
        row_number() over (
            partition by ticket_key, employee_number, contribution_kind, evidence_reference
            order by recorded_on, contribution_code
        ) as recording_number
    from ticket_contribution
),

judged as (
    select
        numbered.contribution_code,
        numbered.ticket_key,
        numbered.employee_number,
        numbered.contribution_kind,
        numbered.evidence_reference,
        numbered.recorded_on,
        credit_rule.credit_rule_code,
        credit_contribution.contribution_weight,
        employee_assignment.team_code,
        case
            when ticket_course.ticket_key is null then 'ticket_not_resolved'
            when credit_rule.credit_rule_code is null then 'no_rule_in_force'
            when credit_contribution.contribution_weight is null then 'kind_earns_no_credit'
            when numbered.evidence_reference is null then 'without_evidence'
            when numbered.recording_number > 1 then 'recorded_before'
            when
                numbered.recorded_on
                > {{ add_days('cast(ticket_course.resolved_at as date)', 'credit_rule.contribution_days') }}
                then 'recorded_too_late'
            when numbered.confirmed_by is null or numbered.confirmed_on is null then 'not_confirmed'
            when numbered.confirmed_by = numbered.employee_number then 'confirmed_by_contributor'
            when employee_assignment.employee_number is null then 'not_employed_when_resolved'
        end as refusal_code
    from numbered
    left join ticket_course on numbered.ticket_key = ticket_course.ticket_key
    left join credit_rule
        on
            cast(ticket_course.resolved_at as date) >= credit_rule.effective_from
            and cast(ticket_course.resolved_at as date)
            <= coalesce(credit_rule.effective_to, date '9999-12-31')
    left join credit_contribution
        on
            credit_rule.credit_rule_code = credit_contribution.credit_rule_code
            and numbered.contribution_kind = credit_contribution.contribution_kind
    left join employee_assignment
        on
            numbered.employee_number = employee_assignment.employee_number
            and cast(ticket_course.resolved_at as date) >= employee_assignment.assigned_from_on
            and (
                employee_assignment.assigned_to_on is null
                or cast(ticket_course.resolved_at as date) < employee_assignment.assigned_to_on
            )
),

final as (
    select
        contribution_code,
        ticket_key,
        employee_number,
        team_code,
        contribution_kind,
        evidence_reference,
        recorded_on,
        credit_rule_code,
        contribution_weight,
        refusal_code,
        refusal_code is null as is_counted
    from judged
)

select * from final
