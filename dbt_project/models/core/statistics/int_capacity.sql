with tickets as (
    select * from {{ ref('int_ticket') }}
),

events as (
    select * from {{ ref('int_ticket_event') }}
),

assignments as (
    select * from {{ ref('int_employee_assignment') }}
),

segments as (
    select * from {{ ref('int_calendar_segment') }}
),

staffing as (
    select * from {{ ref('team_staffing') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

-- a ticket is work for every team it came to, from its first event there
arrivals as (
    select
        events.ticket_key,
        events.team_code,
        min(events.event_at) as arrived_at
    from events
    inner join tickets on events.ticket_key = tickets.ticket_key
    where events.team_code is not null and not tickets.has_history_contradiction
    group by events.ticket_key, events.team_code
),

-- months from the first arrival anywhere on; the month under way is left out
spans as (
    select
        {{ month_start(add_months(add_days('cast(min(arrivals.arrived_at) as date)', -7), 1)) }} as first_on,
        {{ add_days(month_start('cast(run_context.as_of_at as date)'), -1) }} as last_on
    from arrivals
    cross join run_context
    group by run_context.as_of_at
),

days as (
    select {{ date_spine('first_on', 'last_on') }} as day_on
    from spans
),

months as (
    select
        {{ month_start('day_on') }} as period_month,
        {{ add_months(month_start('day_on'), 1) }} as next_month,
        count(*) as period_days
    from days
    group by {{ month_start('day_on') }}, {{ add_months(month_start('day_on'), 1) }}
),

-- the staffing that holds on the month's first day
team_months as (
    select
        staffing.*,
        months.period_month,
        months.next_month,
        months.period_days
    from months
    inner join staffing
        on
            months.period_month >= staffing.effective_from
            and months.period_month <= coalesce(staffing.effective_to, date '9999-12-31')
),

-- open time of the calendar the team is staffed for, cut at the month's ends
open_times as (
    select
        team_months.team_code,
        team_months.period_month,
        sum({{ seconds_between(
            'case when segments.opens_at > cast(team_months.period_month as timestamp) then segments.opens_at '
            ~ 'else cast(team_months.period_month as timestamp) end',
            'case when segments.closes_at < cast(team_months.next_month as timestamp) then segments.closes_at '
            ~ 'else cast(team_months.next_month as timestamp) end'
        ) }}) as open_seconds
    from team_months
    inner join segments
        on
            team_months.staffed_calendar_code = segments.calendar_code
            and segments.opens_at < cast(team_months.next_month as timestamp)
            and segments.closes_at > cast(team_months.period_month as timestamp)
    group by team_months.team_code, team_months.period_month
),

-- segments by the UTC days they touch, so that arrivals find theirs by an equal day
segment_days as (
    select
        calendar_code,
        opens_at,
        closes_at,
        {{ date_spine('cast(opens_at as date)', 'cast(closes_at as date)') }} as day_on
    from segments
),

month_arrivals as (
    select
        team_months.team_code,
        team_months.period_month,
        team_months.staffed_calendar_code,
        arrivals.ticket_key,
        arrivals.arrived_at
    from team_months
    inner join arrivals
        on
            team_months.team_code = arrivals.team_code
            and team_months.period_month = {{ month_start('arrivals.arrived_at') }}
),

placed as (
    select
        month_arrivals.team_code,
        month_arrivals.period_month,
        month_arrivals.ticket_key,
        month_arrivals.arrived_at,
        bool_or(segment_days.opens_at is not null) as is_open
    from month_arrivals
    left join segment_days
        on
            month_arrivals.staffed_calendar_code = segment_days.calendar_code
            and cast(month_arrivals.arrived_at as date) = segment_days.day_on
            and month_arrivals.arrived_at >= segment_days.opens_at
            and month_arrivals.arrived_at < segment_days.closes_at
    group by
        month_arrivals.team_code, month_arrivals.period_month, month_arrivals.ticket_key,
        month_arrivals.arrived_at
),

arrival_totals as (
    select
        team_code,
        period_month,
        count(*) as ticket_count,
        sum(case when is_open then 1 else 0 end) as open_ticket_count
    from placed
    group by team_code, period_month
),

hourly as (
    select
        team_code,
        period_month,
        date_trunc('hour', arrived_at) as hour_at,
        count(*) as ticket_count
    from placed
    where is_open
    group by team_code, period_month, date_trunc('hour', arrived_at)
),

ranked_hours as (
    select
        *,
        row_number() over (partition by team_code, period_month order by ticket_count desc, hour_at asc)
            as place_number
    from hourly
),

hours_of_day as (
    select
        team_code,
        period_month,
        {{ hour_of_day('hour_at') }} as hour_number,
        sum(ticket_count) as ticket_count
    from hourly
    group by team_code, period_month, {{ hour_of_day('hour_at') }}
),

busiest as (
    select
        team_code,
        period_month,
        hour_number as busiest_hour_number
    from hours_of_day
    qualify row_number() over (partition by team_code, period_month order by ticket_count desc, hour_number asc) = 1
),

-- person-days, so that who came on the 20th counts for the rest of the month; a person once a day
headcounts as (
    select
        months.period_month,
        assignments.team_code,
        sum({{ day_count(
            'case when assignments.assigned_from_on > months.period_month then assignments.assigned_from_on '
            ~ 'else months.period_month end',
            'case when assignments.assigned_to_on < months.next_month then assignments.assigned_to_on '
            ~ 'else months.next_month end'
        ) }}) as employee_days
    from months
    inner join assignments
        on
            assignments.assigned_from_on < months.next_month
            and coalesce(assignments.assigned_to_on, date '9999-12-31') > months.period_month
    where assignments.team_code is not null
    group by months.period_month, assignments.team_code
),

measured as (
    select
        team_months.team_code,
        team_months.period_month,
        team_months.period_days,
        team_months.staffed_calendar_code,
        team_months.handling_seconds,
        team_months.productive_share,
        team_months.weekly_working_seconds,
        team_months.staffed_agent_count,
        team_months.response_attainment_share,
        team_months.utilisation_limit_share,
        coalesce(open_times.open_seconds, 0) as open_seconds,
        coalesce(arrival_totals.ticket_count, 0) as ticket_count,
        coalesce(arrival_totals.open_ticket_count, 0) as open_ticket_count,
        coalesce(headcounts.employee_days, 0) as employee_days,
        busiest.busiest_hour_number,
        -- nearest rank over all open hours: the hour that 95 of 100 do not exceed, counted from the busiest
        coalesce(open_times.open_seconds, 0) > 0 as has_open_time,
        {{ int_div('coalesce(open_times.open_seconds, 0)', 3600) }} as open_hour_count
    from team_months
    left join open_times
        on team_months.team_code = open_times.team_code and team_months.period_month = open_times.period_month
    left join arrival_totals
        on
            team_months.team_code = arrival_totals.team_code
            and team_months.period_month = arrival_totals.period_month
    left join headcounts
        on team_months.team_code = headcounts.team_code and team_months.period_month = headcounts.period_month
    left join busiest
        on team_months.team_code = busiest.team_code and team_months.period_month = busiest.period_month
),

staffed as (
    select
        measured.*,
        coalesce(ranked_hours.ticket_count, 0) as peak_hour_ticket_count,
        measured.employee_days * measured.weekly_working_seconds * measured.productive_share as productive_week_seconds
    from measured
    left join ranked_hours
        on
            measured.team_code = ranked_hours.team_code
            and measured.period_month = ranked_hours.period_month
            and ranked_hours.place_number
            = measured.open_hour_count - {{ int_div('95 * measured.open_hour_count + 99', 100) }} + 1
),

final as (
    select
        team_code,
        period_month,
        staffed_calendar_code,
        cast(open_seconds as bigint) as open_seconds,
        cast(ticket_count as bigint) as ticket_count,
        cast(open_ticket_count as bigint) as open_ticket_count,
        cast(peak_hour_ticket_count as bigint) as peak_hour_ticket_count,
        busiest_hour_number,
        cast(employee_days as bigint) as employee_days,
        cast(handling_seconds as bigint) as handling_seconds,
        cast(ticket_count * handling_seconds as bigint) as workload_seconds,
        cast({{ int_div('cast(floor(productive_week_seconds) as bigint)', 7) }} as bigint) as capacity_seconds,
        cast(
            case
                when staffed_agent_count is not null then staffed_agent_count
                when open_seconds > 0
                    then {{ int_div('cast(floor(productive_week_seconds) as bigint)', '7 * open_seconds') }}
                else 0
            end as bigint
        ) as agent_count,
        response_attainment_share,
        utilisation_limit_share
    from staffed
)

select * from final
