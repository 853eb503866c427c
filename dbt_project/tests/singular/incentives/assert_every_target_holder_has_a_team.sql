-- A person with an incentive target whose HRIS department maps to no team would silently earn nothing.
select
    employee_id,
    employee_number,
    assigned_from_on,
    assigned_to_on,
    quarterly_target_amount
from {{ ref('int_employee_assignment') }}
where quarterly_target_amount is not null and team_code is null
