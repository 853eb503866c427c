-- Hours of each person and workweek, and how many of them are overtime where the law of the week's last day knows it.
with worked_day as (
    select * from {{ ref('int_worked_day') }}
),

wage_rule as (
    select * from {{ ref('wage_rule') }}
),

in_week as (
    select
        employee_number,
        country_code,
        jurisdiction_code,
        exempt_status,
        day_on,
        worked_seconds,
        {{ add_days(
            'day_on', '-mod(' ~ iso_weekday('day_on') ~ ' - workweek_first_weekday + 7, 7)'
        ) }} as week_start_on
    from worked_day
    where workweek_first_weekday is not null
),

per_week as (
    select
        employee_number,
        week_start_on,
        {{ add_days('week_start_on', 6) }} as week_end_on,
        max_by(country_code, day_on) as country_code,
        max_by(jurisdiction_code, day_on) as jurisdiction_code,
        max_by(exempt_status, day_on) as exempt_status,
        sum(worked_seconds) as worked_seconds
    from in_week
    group by employee_number, week_start_on
),

-- of several rules the one that protects most: the lowest number of hours, the highest premium
limited as (
    select
        per_week.employee_number,
        per_week.week_start_on,
        per_week.week_end_on,
        per_week.exempt_status,
        per_week.worked_seconds,
        min(case when wage_rule.rule_kind = 'overtime' then {{ integer_units('wage_rule.weekly_hours', 2) }} * 36 end)
            as overtime_after_seconds,
        max(case when wage_rule.rule_kind = 'overtime' then wage_rule.overtime_premium_share end)
            as overtime_premium_share,
        min(
            case
                when wage_rule.rule_kind = 'maximum_hours' then {{ integer_units('wage_rule.weekly_hours', 2) }} * 36
            end
        ) as maximum_seconds
    from per_week
    left join wage_rule
        on
            per_week.country_code = wage_rule.country_code
            and wage_rule.rule_kind in ('overtime', 'maximum_hours')
            and (wage_rule.jurisdiction_code is null or wage_rule.jurisdiction_code = per_week.jurisdiction_code)
            and (wage_rule.exempt_status is null or wage_rule.exempt_status = per_week.exempt_status)
            and per_week.week_end_on >= wage_rule.effective_from
            and per_week.week_end_on <= coalesce(wage_rule.effective_to, date '9999-12-31')
    group by
        per_week.employee_number, per_week.week_start_on, per_week.week_end_on, per_week.exempt_status,
        per_week.worked_seconds
),

final as (
    select
        employee_number,
        week_start_on,
        week_end_on,
        {{ quarter_code('week_end_on') }} as earned_quarter,
        exempt_status,
        cast(worked_seconds as bigint) as worked_seconds,
        cast(coalesce(greatest(worked_seconds - overtime_after_seconds, 0), 0) as bigint) as overtime_seconds,
        overtime_premium_share,
        cast(maximum_seconds as bigint) as maximum_seconds
    from limited
)

select * from final
