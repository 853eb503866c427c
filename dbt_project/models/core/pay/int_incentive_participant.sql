-- Who takes part in which plan version in which ended quarter, and in which teams: whoever held a target in a team on
-- a day of it.
with incentive_period as (
    select * from {{ ref('int_incentive_period') }}
    where is_complete
),

employee_assignment as (
    select * from {{ ref('int_employee_assignment') }}
    where is_in_incentive_plan
),

final as (
    select distinct
        incentive_period.plan_code,
        incentive_period.plan_version,
        incentive_period.earned_quarter,
        incentive_period.period_start_on,
        incentive_period.period_end_on,
        employee_assignment.employee_number,
        employee_assignment.team_code
    from incentive_period
    inner join employee_assignment
        on
            incentive_period.period_end_on > employee_assignment.assigned_from_on
            and (
                employee_assignment.assigned_to_on is null
                or incentive_period.period_start_on < employee_assignment.assigned_to_on
            )
)

select * from final
