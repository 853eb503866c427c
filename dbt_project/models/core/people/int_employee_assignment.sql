-- Employee x maximal range of days with constant (team, quarterly target, currency), from the HRIS's
-- effective-dated tables. Ranges are half-open [assigned_from_on, assigned_to_on) and never overlap.
with employee as (
    select * from {{ ref('stg_bamboohr__employees') }}
    where hired_on is not null and (terminated_on is null or terminated_on > hired_on)
),

job_info as (
    select * from {{ ref('stg_bamboohr__job_infos') }}
),

incentive_target as (
    select * from {{ ref('stg_bamboohr__incentive_targets') }}
),

team as (
    select * from {{ ref('team') }}
),

-- two rows of one day: the later entered one holds (ids are numbers kept as text, so length comes first)
job_of_day as (
    select
        employee_id,
        effective_on,
        department_name,
        batch_id
    from job_info
    where effective_on is not null
    qualify row_number() over (
            partition by employee_id, effective_on
            order by length(job_info_id) desc, job_info_id desc
        ) = 1
),

job_interval as (
    select
        job_of_day.employee_id,
        job_of_day.effective_on as valid_from_on,
        team.team_code,
        job_of_day.batch_id,
        coalesce(
            lead(job_of_day.effective_on) over (
                partition by job_of_day.employee_id order by job_of_day.effective_on
            ),
            date '9999-12-31'
        ) as valid_to_on
    from job_of_day
    left join team on job_of_day.department_name = team.hris_department
),

target_of_day as (
    select
        employee_id,
        effective_on,
        quarterly_target_amount,
        currency_code,
        batch_id
    from incentive_target
    where effective_on is not null
    qualify row_number() over (
            partition by employee_id, effective_on
            order by length(incentive_target_id) desc, incentive_target_id desc
        ) = 1
),

target_interval as (
    select
        employee_id,
        effective_on as valid_from_on,
        quarterly_target_amount,
        currency_code,
        batch_id,
        coalesce(
            lead(effective_on) over (partition by employee_id order by effective_on),
            date '9999-12-31'
        ) as valid_to_on
    from target_of_day
),

change_day as (
    select
        employee_id,
        hired_on as from_on
    from employee

    union

    select
        employee.employee_id,
        job_interval.valid_from_on as from_on
    from employee
    inner join job_interval
        on
            employee.employee_id = job_interval.employee_id
            and employee.hired_on < job_interval.valid_from_on
            and (employee.terminated_on is null or employee.terminated_on > job_interval.valid_from_on)

    union

    select
        employee.employee_id,
        target_interval.valid_from_on as from_on
    from employee
    inner join target_interval
        on
            employee.employee_id = target_interval.employee_id
            and employee.hired_on < target_interval.valid_from_on
            and (employee.terminated_on is null or employee.terminated_on > target_interval.valid_from_on)
),

piece as (
    select
        employee.employee_id,
        employee.employee_number,
        employee.country_code,
        change_day.from_on,
        job_interval.team_code,
        target_interval.quarterly_target_amount,
        target_interval.currency_code,
        employee.batch_id as employee_batch_id,
        job_interval.batch_id as job_info_batch_id,
        target_interval.batch_id as incentive_target_batch_id,
        coalesce(
            lead(change_day.from_on) over (partition by employee.employee_id order by change_day.from_on),
            employee.terminated_on
        ) as to_on
    from change_day
    inner join employee on change_day.employee_id = employee.employee_id
    left join job_interval
        on
            change_day.employee_id = job_interval.employee_id
            and change_day.from_on >= job_interval.valid_from_on
            and change_day.from_on < job_interval.valid_to_on
    left join target_interval
        on
            change_day.employee_id = target_interval.employee_id
            and change_day.from_on >= target_interval.valid_from_on
            and change_day.from_on < target_interval.valid_to_on
),

compared as (
    select
        *,
        row_number() over (partition by employee_id order by from_on) as piece_number,
        lag(team_code) over (partition by employee_id order by from_on) as previous_team_code,
        lag(quarterly_target_amount) over (partition by employee_id order by from_on)
            as previous_target_amount,
        lag(currency_code) over (partition by employee_id order by from_on) as previous_currency_code
    from piece
),

flagged as (
    select
        *,
        case
            when
                piece_number > 1
                and (team_code is not distinct from previous_team_code)
                and (quarterly_target_amount is not distinct from previous_target_amount)
                and (currency_code is not distinct from previous_currency_code)
                then 0
            else 1
        end as is_new_range
    from compared
),

numbered as (
    select
        *,
        sum(is_new_range) over (
            partition by employee_id order by from_on rows between unbounded preceding and current row
        ) as range_number
    from flagged
),

final as (
    select
        {{ md5_of(['employee_id', 'min(from_on)']) }} as employee_assignment_key,
        employee_id,
        max(employee_number) as employee_number,
        max(country_code) as country_code,
        max(team_code) as team_code,
        max(quarterly_target_amount) as quarterly_target_amount,
        max(currency_code) as currency_code,
        min(from_on) as assigned_from_on,
        -- an open end is the last piece's null, which max() would skip
        case when count(*) = count(to_on) then max(to_on) end as assigned_to_on,
        max(team_code) is not null
        and max(quarterly_target_amount) is not null
        and max(currency_code) is not null as is_in_incentive_plan,
        max(employee_batch_id) as employee_batch_id,
        max(job_info_batch_id) as job_info_batch_id,
        max(incentive_target_batch_id) as incentive_target_batch_id
    from numbered
    group by employee_id, range_number
)

select * from final
