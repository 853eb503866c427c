-- A person's stretches of employment by HRIS record. A person on the books of two systems is one: payroll's own
-- HRIS is the record that counts, the other one stands beside it.
with employees as (
    select * from {{ ref('stg_bamboohr__employees') }}
),

delisted_employees as (
    select * from {{ ref('stg_bamboohr__delisted_employees') }}
),

employment_statuses as (
    select * from {{ ref('stg_bamboohr__employment_statuses') }}
),

workers as (
    select * from {{ ref('stg_workday__workers') }}
),

directory as (
    select
        employee_id,
        employee_number,
        display_name,
        lower(work_email) as work_email,
        hired_on,
        terminated_on,
        true as is_listed,
        batch_id
    from employees

    union all

    select
        employee_id,
        employee_number,
        display_name,
        lower(work_email) as work_email,
        hired_on,
        coalesce(terminated_on, cast(delisted_at as date)) as terminated_on,
        false as is_listed,
        batch_id
    from delisted_employees
),

directory_email as (
    select
        work_email,
        min('bamboohr:' || employee_id) as person_key
    from directory
    where work_email is not null
    group by work_email
),

directory_record as (
    select
        directory.*,
        coalesce(directory_email.person_key, 'bamboohr:' || directory.employee_id) as person_key
    from directory
    left join directory_email on directory.work_email = directory_email.work_email
),

-- a number given again after its record was deleted is held twice
directory_number as (
    select
        employee_number,
        min(person_key) as person_key
    from directory_record
    where employee_number is not null
    group by employee_number
),

worker as (
    select
        worker_id,
        display_name,
        lower(work_email) as work_email,
        other_employee_number,
        batch_id
    from workers
    qualify row_number() over (partition by worker_id order by effective_on desc) = 1
),

record as (
    select
        'bamboohr' as hris_system,
        employee_id,
        employee_number,
        display_name,
        work_email,
        person_key,
        true as is_primary,
        is_listed,
        batch_id
    from directory_record

    union all

    select
        'workday' as hris_system,
        worker.worker_id as employee_id,
        worker.worker_id as employee_number,
        worker.display_name,
        worker.work_email,
        coalesce(
            directory_number.person_key,
            directory_email.person_key,
            min('workday:' || worker.worker_id) over (partition by coalesce(worker.work_email, worker.worker_id))
        ) as person_key,
        directory_number.person_key is null and directory_email.person_key is null as is_primary,
        true as is_listed,
        worker.batch_id
    from worker
    left join directory_number on worker.other_employee_number = directory_number.employee_number
    left join directory_email on worker.work_email = directory_email.work_email
),

-- what each system says about a day: the directory before the history of statuses, the later entry before the earlier
status_change as (
    select
        'bamboohr' as hris_system,
        employee_id,
        hired_on as effective_on,
        true as is_employed,
        1 as precedence,
        '' as entry_code
    from directory

    union all

    select
        'bamboohr' as hris_system,
        employee_id,
        terminated_on as effective_on,
        false as is_employed,
        0 as precedence,
        '' as entry_code
    from directory
    where terminated_on is not null

    union all

    select
        'bamboohr' as hris_system,
        employee_id,
        effective_on,
        employment_status <> 'Terminated' as is_employed,
        2 as precedence,
        lpad(employment_status_id, 12, '0') as entry_code
    from employment_statuses

    union all

    select
        'workday' as hris_system,
        worker_id as employee_id,
        effective_on,
        worker_status <> 'Terminated' as is_employed,
        1 as precedence,
        '' as entry_code
    from workers
),

status_of_day as (
    select
        hris_system,
        employee_id,
        effective_on,
        is_employed
    from status_change
    where effective_on is not null
    qualify row_number() over (
            partition by hris_system, employee_id, effective_on order by precedence asc, entry_code desc
        ) = 1
),

turned as (
    select
        *,
        lag(is_employed) over (partition by hris_system, employee_id order by effective_on) as was_employed
    from status_of_day
),

stretch as (
    select
        hris_system,
        employee_id,
        is_employed,
        effective_on as employed_from_on,
        lead(effective_on) over (partition by hris_system, employee_id order by effective_on) as employed_to_on
    from turned
    where is_employed is distinct from was_employed
),

final as (
    select
        {{ md5_of(['record.hris_system', 'record.employee_id', 'stretch.employed_from_on']) }} as employment_key,
        record.person_key,
        record.hris_system,
        record.employee_id,
        record.employee_number,
        record.display_name,
        record.work_email,
        record.is_primary,
        record.is_listed,
        stretch.employed_from_on,
        stretch.employed_to_on,
        record.batch_id
    from record
    inner join stretch
        on
            record.hris_system = stretch.hris_system
            and record.employee_id = stretch.employee_id
    where stretch.is_employed
)

select * from final
