-- Every day of employment with the hours worked and the hours paid, and the minimum wage of the day. An entry of hours
-- says it best, then approved leave, then the roster, then the country's standard day (Monday to Friday).
with reporting_period as (
    select * from {{ ref('int_reporting_period') }}
),

incentive_period as (
    select * from {{ ref('int_incentive_period') }}
),

employment as (
    select * from {{ ref('int_employment') }}
    where is_primary and hris_system = 'bamboohr' and employee_number is not null
),

employees as (
    select * from {{ ref('stg_bamboohr__employees') }}
),

shifts as (
    select * from {{ ref('stg_bamboohr__shifts') }}
),

on_call_rotations as (
    select * from {{ ref('stg_bamboohr__on_call_rotations') }}
),

time_off_requests as (
    select * from {{ ref('stg_bamboohr__time_off_requests') }}
    where request_status = 'approved'
),

worked_hours_entry as (
    select * from {{ ref('int_worked_hours_entry') }}
    where is_counted
),

employment_term as (
    select * from {{ ref('int_employment_term') }}
),

working_week as (
    select * from {{ ref('working_week') }}
),

wage_rule as (
    select * from {{ ref('wage_rule') }}
    where rule_kind = 'minimum_wage'
),

-- a week before the first period, so that its first workweek is whole; to the end of the last payment month
bounds as (
    select
        {{ add_days('min(period_start_on)', -7) }} as first_on,
        max({{ add_days('period_end_on', 6) }}) as last_on
    from reporting_period
),

last_payment as (
    select {{ add_days(add_months('max(' ~ month_code_start('payment_period') ~ ')', 1), -1) }} as last_on
    from incentive_period
),

employed_span as (
    select
        employment.employee_id,
        employment.employee_number,
        employees.country_code,
        greatest(employment.employed_from_on, bounds.first_on) as from_on,
        least(
            coalesce({{ add_days('employment.employed_to_on', -1) }}, date '9999-12-31'),
            greatest(bounds.last_on, coalesce(last_payment.last_on, bounds.last_on))
        ) as last_on
    from employment
    cross join bounds
    cross join last_payment
    left join employees on employment.employee_id = employees.employee_id
),

employed_day as (
    select
        employee_id,
        employee_number,
        country_code,
        {{ date_spine('from_on', 'last_on') }} as day_on
    from employed_span
),

rostered as (
    select
        employee_id,
        cast({{ utc_to_local('starts_at', 'time_zone') }} as date) as day_on,
        sum({{ seconds_between('starts_at', 'ends_at') }}) as rostered_seconds
    from shifts
    group by employee_id, cast({{ utc_to_local('starts_at', 'time_zone') }} as date)
),

on_call as (
    select
        employed_day.employee_number,
        employed_day.day_on,
        sum({{ seconds_between(
            'greatest(on_call_rotations.starts_at, cast(employed_day.day_on as timestamp))',
            'least(on_call_rotations.ends_at, cast(' ~ add_days('employed_day.day_on', 1) ~ ' as timestamp))'
        ) }}) as on_call_seconds
    from employed_day
    inner join on_call_rotations
        on
            employed_day.employee_id = on_call_rotations.employee_id
            and on_call_rotations.starts_at < cast({{ add_days('employed_day.day_on', 1) }} as timestamp)
            and on_call_rotations.ends_at > cast(employed_day.day_on as timestamp)
    group by employed_day.employee_number, employed_day.day_on
),

leave_day as (
    select distinct
        employed_day.employee_number,
        employed_day.day_on
    from employed_day
    inner join time_off_requests
        on
            employed_day.employee_id = time_off_requests.employee_id
            and employed_day.day_on >= time_off_requests.first_on
            and employed_day.day_on <= time_off_requests.last_on
),

termed as (
    select
        employed_day.*,
        employment_term.jurisdiction_code,
        employment_term.exempt_status
    from employed_day
    left join employment_term
        on
            employed_day.employee_number = employment_term.employee_number
            and employed_day.day_on >= employment_term.valid_from_on
            and employed_day.day_on < employment_term.valid_to_on
),

-- the working week of the jurisdiction before that of the country
with_week as (
    select
        termed.*,
        working_week.standard_daily_minutes,
        working_week.workweek_first_weekday,
        working_week.on_call_counted_share
    from termed
    left join working_week
        on
            termed.country_code = working_week.country_code
            and (
                working_week.jurisdiction_code is null
                or working_week.jurisdiction_code = termed.jurisdiction_code
            )
            and termed.day_on >= working_week.effective_from
            and termed.day_on <= coalesce(working_week.effective_to, date '9999-12-31')
    qualify row_number() over (
            partition by termed.employee_number, termed.day_on
            order by case when working_week.jurisdiction_code is null then 1 else 0 end
        ) = 1
),

-- of several minimums the highest holds (29 U.S.C. 218(a) says so of state and federal law)
minimum as (
    select
        termed.employee_number,
        termed.day_on,
        max(wage_rule.minimum_hourly_amount) as minimum_hourly_amount,
        max(wage_rule.margin_share) as margin_share,
        min(wage_rule.currency_code) as minimum_currency_code
    from termed
    inner join wage_rule
        on
            termed.country_code = wage_rule.country_code
            and (wage_rule.jurisdiction_code is null or wage_rule.jurisdiction_code = termed.jurisdiction_code)
            and (wage_rule.exempt_status is null or wage_rule.exempt_status = termed.exempt_status)
            and termed.day_on >= wage_rule.effective_from
            and termed.day_on <= coalesce(wage_rule.effective_to, date '9999-12-31')
    group by termed.employee_number, termed.day_on
),

joined as (
    select
        with_week.employee_number,
        with_week.day_on,
        with_week.country_code,
        with_week.jurisdiction_code,
        with_week.exempt_status,
        with_week.workweek_first_weekday,
        minimum.minimum_hourly_amount,
        minimum.margin_share,
        minimum.minimum_currency_code,
        worked_hours_entry.worked_minutes * 60 as entered_seconds,
        leave_day.day_on is not null as is_leave,
        rostered.rostered_seconds,
        case
            when {{ iso_weekday('with_week.day_on') }} <= 5 then with_week.standard_daily_minutes * 60
            when with_week.standard_daily_minutes is not null then 0
        end as standard_seconds,
        cast(coalesce(
            {{ int_div(
                exact_integer('on_call.on_call_seconds') ~ ' * ' ~ integer_units('with_week.on_call_counted_share', 4),
                '10000'
            ) }},
            0
        ) as bigint) as on_call_counted_seconds
    from with_week
    left join minimum
        on
            with_week.employee_number = minimum.employee_number
            and with_week.day_on = minimum.day_on
    left join worked_hours_entry
        on
            with_week.employee_number = worked_hours_entry.employee_number
            and with_week.day_on = worked_hours_entry.work_on
    left join leave_day
        on
            with_week.employee_number = leave_day.employee_number
            and with_week.day_on = leave_day.day_on
    left join rostered
        on
            with_week.employee_id = rostered.employee_id
            and with_week.day_on = rostered.day_on
    left join on_call
        on
            with_week.employee_number = on_call.employee_number
            and with_week.day_on = on_call.day_on
),

in_week as (
    select
        *,
        entered_seconds is null and not is_leave and rostered_seconds is not null as is_rostered,
        entered_seconds is null and not is_leave and rostered_seconds is null and standard_seconds > 0 as is_open,
        {{ add_days(
            'day_on', '-mod(' ~ iso_weekday('day_on') ~ ' - coalesce(workweek_first_weekday, 1) + 7, 7)'
        ) }} as week_start_on
    from joined
),

-- shifts are part of the week's standard hours, not on top of them: the days left share what is left
shared as (
    select
        *,
        sum(case when is_open or is_rostered then standard_seconds else 0 end) over (
            partition by employee_number, week_start_on
        ) as week_standard_seconds,
        sum(case when is_rostered then rostered_seconds else 0 end) over (
            partition by employee_number, week_start_on
        ) as week_rostered_seconds,
        sum(case when is_open then 1 else 0 end) over (partition by employee_number, week_start_on) as open_day_count
    from in_week
),

planned as (
    select
        *,
        case
            when is_rostered then rostered_seconds
            when is_open
                then
                    least(
                        standard_seconds,
                        {{ int_div('greatest(week_standard_seconds - week_rostered_seconds, 0)', 'open_day_count') }}
                    )
            else standard_seconds
        end as planned_seconds
    from shared
),

final as (
    select
        employee_number,
        day_on,
        country_code,
        jurisdiction_code,
        exempt_status,
        workweek_first_weekday,
        case
            when entered_seconds is not null then 'entry'
            when is_leave then 'leave'
            when is_rostered then 'roster'
            when standard_seconds is not null then 'standard'
            else 'unknown'
        end as hours_source,
        cast(
            case
                when entered_seconds is not null then entered_seconds
                when is_leave then 0
                else planned_seconds + on_call_counted_seconds
            end as bigint
        ) as worked_seconds,
        cast(
            case
                when entered_seconds is not null then entered_seconds
                when is_leave then standard_seconds
                else planned_seconds + on_call_counted_seconds
            end as bigint
        ) as paid_seconds,
        minimum_hourly_amount,
        margin_share,
        minimum_currency_code
    from planned
)

select * from final
