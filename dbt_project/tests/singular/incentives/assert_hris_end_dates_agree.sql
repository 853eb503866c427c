-- The directory's termination date decides pay; the status history saying otherwise is a contradiction in
-- the HRIS that somebody must look at before money moves.
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'stg_bamboohr__employment_statuses'}}}) }}
with latest_status as (
    select
        employee_id,
        effective_on,
        employment_status
    from {{ ref('stg_bamboohr__employment_statuses') }}
    qualify row_number() over (
            partition by employee_id
            order by effective_on desc, length(employment_status_id) desc, employment_status_id desc
        ) = 1
),

-- whoever was taken on again after leaving has not left
terminated as (
    select
        employee_id,
        effective_on as terminated_on
    from latest_status
    where employment_status = 'Terminated'
),

failure as (
    select
        employee.employee_id,
        employee.employee_number,
        employee.terminated_on,
        terminated.terminated_on as status_terminated_on
    from {{ ref('stg_bamboohr__employees') }} as employee
    left join terminated on employee.employee_id = terminated.employee_id
    where employee.terminated_on is distinct from terminated.terminated_on
)

select * from failure
