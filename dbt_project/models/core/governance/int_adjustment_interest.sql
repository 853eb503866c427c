-- Who gains by an adjustment, and whom they reported to: neither may put it through.
with requests as (
    select * from {{ ref('score_adjustment') }}
),

services as (
    select * from {{ ref('service') }}
),

assignments as (
    select * from {{ ref('int_employee_assignment') }}
    where is_in_incentive_plan
),

employees as (
    select * from {{ ref('stg_bamboohr__employees') }}
),

job_infos as (
    select * from {{ ref('stg_bamboohr__job_infos') }}
),

request_period as (
    select
        requests.adjustment_id,
        requests.entity_type,
        requests.entity_code,
        case
            when requests.entity_type = 'team' then requests.entity_code
            when requests.entity_type = 'service' then services.owner_team_code
        end as team_code,
        requests.period_start_on,
        cast(
            case requests.period_grain
                when 'month' then {{ add_months('requests.period_start_on', 1) }}
                else {{ add_months('requests.period_start_on', 3) }}
            end as date
        ) as period_end_on
    from requests
    left join services on requests.entity_type = 'service' and requests.entity_code = services.service_code
),

beneficiary as (
    select
        request_period.adjustment_id,
        request_period.period_start_on,
        request_period.period_end_on,
        assignments.employee_number
    from request_period
    inner join assignments
        on
            request_period.team_code = assignments.team_code
            and request_period.period_end_on > assignments.assigned_from_on
            and request_period.period_start_on < coalesce(assignments.assigned_to_on, date '9999-12-31')

    union

    select
        adjustment_id,
        period_start_on,
        period_end_on,
        entity_code as employee_number
    from request_period
    where entity_type = 'person'
),

-- a job row holds until the next one; of two of one day the later entry
job as (
    select
        employees.employee_number,
        job_infos.reports_to,
        job_infos.effective_on as held_from_on,
        coalesce(
            lead(job_infos.effective_on) over (
                partition by job_infos.employee_id
                order by job_infos.effective_on, length(job_infos.job_info_id), job_infos.job_info_id
            ),
            date '9999-12-31'
        ) as held_to_on
    from job_infos
    inner join employees on job_infos.employee_id = employees.employee_id
),

-- the HRIS names the lead, it gives no number
manager as (
    select distinct
        beneficiary.adjustment_id,
        leads.employee_number
    from beneficiary
    inner join job
        on
            beneficiary.employee_number = job.employee_number
            and beneficiary.period_end_on > job.held_from_on
            and beneficiary.period_start_on < job.held_to_on
            and job.held_from_on < job.held_to_on
    inner join employees as leads on job.reports_to = leads.display_name
),

final as (
    select distinct
        adjustment_id,
        employee_number,
        'beneficiary' as interest
    from beneficiary

    union all

    select
        adjustment_id,
        employee_number,
        'manager' as interest
    from manager
)

select * from final
