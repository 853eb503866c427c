-- Overlapping assignments would pay a day twice; equal neighbours would not be maximal and change the
-- rounding.
with ordered as (
    select
        employee_id,
        team_code,
        quarterly_target_amount,
        currency_code,
        assigned_from_on,
        assigned_to_on,
        lead(assigned_from_on) over (partition by employee_id order by assigned_from_on) as next_from_on,
        lead(team_code) over (partition by employee_id order by assigned_from_on) as next_team_code,
        lead(quarterly_target_amount) over (partition by employee_id order by assigned_from_on)
            as next_target_amount,
        lead(currency_code) over (partition by employee_id order by assigned_from_on) as next_currency_code
    from {{ ref('int_employee_assignment') }}
),

failure as (
    select *
    from ordered
    where
        assigned_to_on <= assigned_from_on
        or (
            next_from_on is not null
            and (
                assigned_to_on is null
                or assigned_to_on > next_from_on
                or (
                    assigned_to_on = next_from_on
                    and team_code is not distinct from next_team_code
                    and quarterly_target_amount is not distinct from next_target_amount
                    and currency_code is not distinct from next_currency_code
                )
            )
        )
)

select * from failure
