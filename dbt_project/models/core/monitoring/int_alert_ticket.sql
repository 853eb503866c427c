with alerts as (
    select * from {{ ref('stg_datadog__incidents') }}
    where detection_method = 'monitor'
),

tickets as (
    select * from {{ ref('int_ticket') }}
),

limits as (
    select * from {{ ref('clock_skew_limit') }}
    where measure_code = 'alert_to_ticket'
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

-- a number is unique within a source system only: the desk that alerts are sent to comes first
named as (
    select
        alerts.incident_id,
        tickets.ticket_key,
        'ticket_number' as match_method
    from alerts
    inner join tickets on alerts.ticket_number = tickets.ticket_number
    qualify
        row_number() over (
            partition by alerts.incident_id
            order by
                case tickets.source_system when 'servicenow' then 1 when 'jira' then 2 else 3 end,
                tickets.ticket_key
        ) = 1
),

-- by the channels that are no person's
machine_tickets as (
    select *
    from tickets
    where lower(channel) in ('monitoring', 'event', 'alert')
),

-- of the alerts that name no ticket, each one's nearest ticket of its service that no alert names, and no ticket twice
near as (
    select
        alerts.incident_id,
        machine_tickets.ticket_key,
        abs({{ seconds_between('alerts.detected_at', 'machine_tickets.opened_at') }}) as distance_seconds
    from alerts
    cross join limits
    inner join machine_tickets
        on
            alerts.service_code = machine_tickets.service_code
            and machine_tickets.opened_at >= {{ add_seconds('alerts.detected_at', '-limits.match_window_seconds') }}
            and machine_tickets.opened_at <= {{ add_seconds('alerts.detected_at', 'limits.match_window_seconds') }}
    where
        alerts.ticket_number is null
        and machine_tickets.ticket_key not in (select named.ticket_key from named)
),

nearest as (
    select *
    from near
    qualify
        row_number() over (partition by incident_id order by distance_seconds, ticket_key) = 1
        and row_number() over (partition by ticket_key order by distance_seconds, incident_id) = 1
),

matches as (
    select
        incident_id,
        ticket_key,
        match_method
    from named
    union all
    select
        incident_id,
        ticket_key,
        'service_and_time' as match_method
    from nearest
),

bounds as (
    select {{ whole_second('min(detected_at)') }} as first_at
    from alerts
),

matched as (
    select
        alerts.incident_id,
        tickets.ticket_key,
        'matched' as match_status,
        matches.match_method as reason_code
    from matches
    inner join alerts on matches.incident_id = alerts.incident_id
    inner join tickets on matches.ticket_key = tickets.ticket_key
),

alerts_alone as (
    select
        alerts.incident_id,
        cast(null as varchar) as ticket_key,
        'alert_without_ticket' as match_status,
        case
            when alerts.ticket_number is not null then 'named_ticket_unknown'
            when alerts.service_code is null then 'names_neither_ticket_nor_service'
            else 'no_ticket_nearby'
        end as reason_code
    from alerts
    where alerts.incident_id not in (select matches.incident_id from matches)
),

-- what was opened before the first alert there is a record of is not judged
tickets_alone as (
    select
        cast(null as varchar) as incident_id,
        machine_tickets.ticket_key,
        'ticket_without_alert' as match_status,
        case when machine_tickets.service_code is null then 'ticket_names_no_service' else 'no_alert_nearby' end
            as reason_code
    from machine_tickets
    cross join bounds
    cross join run_context
    where
        machine_tickets.opened_at >= bounds.first_at
        and machine_tickets.opened_at < run_context.as_of_at
        and machine_tickets.ticket_key not in (select matches.ticket_key from matches)
),

combined as (
    select * from matched
    union all
    select * from alerts_alone
    union all
    select * from tickets_alone
),

final as (
    select
        {{ md5_of(["coalesce(combined.incident_id, '')", "coalesce(combined.ticket_key, '')"]) }} as alert_ticket_key,
        combined.match_status,
        combined.reason_code,
        combined.incident_id,
        alerts.monitor_id,
        {{ whole_second('alerts.detected_at') }} as detected_at,
        combined.ticket_key,
        coalesce(tickets.ticket_number, alerts.ticket_number) as ticket_number,
        tickets.source_system as ticket_system,
        tickets.opened_at,
        tickets.assigned_employee_number,
        tickets.team_code as ticket_team_code,
        coalesce(tickets.service_code, alerts.service_code) as service_code,
        {{ seconds_between('tickets.opened_at', 'alerts.detected_at') }} as offset_seconds,
        alerts.batch_id as alert_batch_id,
        tickets.batch_id as ticket_batch_id
    from combined
    left join alerts on combined.incident_id = alerts.incident_id
    left join tickets on combined.ticket_key = tickets.ticket_key
)

select * from final
