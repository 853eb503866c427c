-- Base pay of each person and quarter as payroll paid it, by the team whose cost centre bears it.
with payroll_line as (
    select * from {{ ref('int_payroll_line') }}
    where earning_role = 'base'
),

landed_pay_month as (
    select * from {{ ref('int_landed_pay_month') }}
),

team as (
    select * from {{ ref('team') }}
),

dated as (
    select
        employee_number,
        currency_code,
        cost_centre_code,
        amount,
        pay_period,
        {{ quarter_code(month_code_start('pay_period')) }} as earned_quarter
    from payroll_line
),

team_of_centre as (
    select
        cost_centre_code,
        min(team_code) as team_code,
        min(country_code) as country_code
    from team
    group by cost_centre_code
),

-- how many months of the quarter payroll has told, whoever it paid and in whichever currency: three months are all
told as (
    select
        {{ quarter_code(month_code_start('month_code')) }} as earned_quarter,
        count(distinct month_code) as register_month_count
    from landed_pay_month
    where source_name = 'payroll'
    group by {{ quarter_code(month_code_start('month_code')) }}
),

final as (
    select
        dated.earned_quarter,
        dated.employee_number,
        dated.currency_code,
        team_of_centre.team_code,
        team_of_centre.country_code,
        cast(sum(dated.amount) as decimal(18, 2)) as base_amount,
        count(distinct dated.pay_period) as pay_month_count,
        coalesce(max(told.register_month_count), 0) as register_month_count
    from dated
    left join told on dated.earned_quarter = told.earned_quarter
    left join team_of_centre on dated.cost_centre_code = team_of_centre.cost_centre_code
    where dated.earned_quarter is not null
    group by
        dated.earned_quarter, dated.employee_number, dated.currency_code, team_of_centre.team_code,
        team_of_centre.country_code
)

select * from final
