with alert_tickets as (
    select * from {{ ref('int_alert_ticket') }}
),

employment as (
    select * from {{ ref('int_employment') }}
    where is_primary
),

assignments as (
    select * from {{ ref('int_employee_assignment') }}
),

ticket_events as (
    select * from {{ ref('int_ticket_event') }}
),

-- the instant the person who has the ticket was first given it
given as (
    select
        ticket_key,
        assigned_employee_number,
        min(event_at) as given_at
    from ticket_events
    where assigned_employee_number is not null
    group by ticket_key, assigned_employee_number
),

people as (
    select distinct employee_number
    from employment
),

employed as (
    select distinct
        given.ticket_key,
        given.assigned_employee_number
    from given
    inner join employment
        on
            given.assigned_employee_number = employment.employee_number
            and cast(given.given_at as date) >= employment.employed_from_on
            and (
                employment.employed_to_on is null
                or cast(given.given_at as date) < employment.employed_to_on
            )
),

joined as (
    select
        alert_tickets.*,
        given.given_at,
        people.employee_number is not null as is_in_hris,
        employed.ticket_key is not null as is_employed,
        assignments.employee_assignment_key,
        assignments.team_code as hris_team_code
    from alert_tickets
    left join given
        on
            alert_tickets.ticket_key = given.ticket_key
            and alert_tickets.assigned_employee_number = given.assigned_employee_number
    left join people on alert_tickets.assigned_employee_number = people.employee_number
    left join employed
        on
            alert_tickets.ticket_key = employed.ticket_key
            and alert_tickets.assigned_employee_number = employed.assigned_employee_number
    -- their team, which only the standing list of the one system says
    left join assignments
        on
            employed.assigned_employee_number = assignments.employee_number
            and cast(given.given_at as date) >= assignments.assigned_from_on
            and (
                assignments.assigned_to_on is null
                or cast(given.given_at as date) < assignments.assigned_to_on
            )
),

judged as (
    select
        *,
        case
            when ticket_key is null then 'no_ticket'
            when assigned_employee_number is null then 'nobody_assigned'
            when not is_in_hris then 'not_in_hris'
            when not is_employed then 'not_employed_then'
            when hris_team_code is null then 'employed_team_unknown'
            when (hris_team_code is distinct from ticket_team_code) then 'employed_in_another_team'
            else 'employed_in_team'
        end as identity_status
    from joined
),

final as (
    select
        cast(alert_ticket_key as varchar) as alert_ticket_key,
        cast(match_status as varchar) as match_status,
        cast(reason_code as varchar) as reason_code,
        cast(identity_status as varchar) as identity_status,
        match_status = 'matched'
        and identity_status in ('employed_in_team', 'employed_in_another_team', 'employed_team_unknown') as is_valid,
        cast(incident_id as varchar) as alert_incident_id,
        cast(monitor_id as varchar) as monitor_id,
        cast(detected_at as timestamp) as detected_at,
        cast(ticket_number as varchar) as ticket_number,
        cast(opened_at as timestamp) as opened_at,
        cast(offset_seconds as bigint) as offset_seconds,
        cast(service_code as varchar) as service_code,
        cast(ticket_team_code as varchar) as team_code,
        cast(hris_team_code as varchar) as hris_team_code,
        cast(assigned_employee_number as varchar) as employee_number,
        cast(employee_assignment_key as varchar) as employee_assignment_key,
        cast(alert_batch_id as varchar) as alert_batch_id,
        cast(ticket_batch_id as varchar) as ticket_batch_id
    from judged
)

select * from final
