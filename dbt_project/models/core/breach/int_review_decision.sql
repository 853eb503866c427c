with decisions as (
    select * from {{ ref('review_decision') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

tickets as (
    select * from {{ ref('int_ticket') }}
),

events as (
    select * from {{ ref('int_ticket_event') }}
),

employees as (
    select * from {{ ref('stg_bamboohr__employees') }}
),

job_infos as (
    select * from {{ ref('stg_bamboohr__job_infos') }}
),

-- a decision taken after as_of has not happened
taken as (
    select
        decisions.review_id,
        decisions.source_system || ':' || decisions.ticket_number as ticket_key,
        decisions.slt_code,
        decisions.requested_by,
        decisions.requested_at,
        decisions.reviewer,
        decisions.decided_at,
        decisions.decision,
        nullif(trim(decisions.reason), '') as reason
    from decisions
    cross join run_context
    where decisions.decided_at <= run_context.as_of_at
),

-- everybody the ticket was ever assigned to before the decision
handlers as (
    select distinct
        taken.review_id,
        taken.decided_at,
        events.assigned_employee_number as employee_number
    from taken
    inner join events
        on
            taken.ticket_key = events.ticket_key
            and taken.decided_at >= events.event_at
    where events.assigned_employee_number is not null
),

-- whom each of them reported to on the day of the decision; the HRIS names the lead, it gives no number
lead_names as (
    select
        handlers.review_id,
        job_infos.reports_to
    from handlers
    inner join employees on handlers.employee_number = employees.employee_number
    inner join job_infos
        on
            employees.employee_id = job_infos.employee_id
            and cast(handlers.decided_at as date) >= job_infos.effective_on
    qualify row_number() over (
            partition by handlers.review_id, handlers.employee_number
            order by job_infos.effective_on desc, job_infos.job_info_id desc
        ) = 1
),

led_by as (
    select distinct
        lead_names.review_id,
        employees.employee_number
    from lead_names
    inner join employees on lead_names.reports_to = employees.display_name
),

judged as (
    select
        taken.*,
        case
            when tickets.ticket_key is null then 'names_no_ticket'
            when taken.decided_at < taken.requested_at then 'decided_before_requested'
            when taken.reason is null then 'without_reason'
            when taken.reviewer = taken.requested_by then 'reviewer_is_requester'
            when handlers.employee_number is not null then 'reviewer_is_assignee'
            when led_by.employee_number is not null then 'reviewer_leads_assignee'
        end as refusal_code
    from taken
    left join tickets on taken.ticket_key = tickets.ticket_key
    left join handlers
        on
            taken.review_id = handlers.review_id
            and taken.reviewer = handlers.employee_number
    left join led_by
        on
            taken.review_id = led_by.review_id
            and taken.reviewer = led_by.employee_number
),

final as (
    select
        review_id,
        ticket_key,
        slt_code,
        ticket_key || ':' || slt_code as ticket_slt_key,
        requested_at,
        decided_at,
        decision,
        reason,
        refusal_code,
        refusal_code is null as is_valid
    from judged
)

select * from final
