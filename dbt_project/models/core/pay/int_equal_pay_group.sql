-- The groups in which each participant of a quarter is compared with others for equal pay: one per attribute. A further
-- attribute of the HRIS is one more branch of the union.
with incentive_participant as (
    select * from {{ ref('int_incentive_participant') }}
),

employees as (
    select * from {{ ref('stg_bamboohr__employees') }}
),

work_share as (
    select * from {{ ref('int_work_share') }}
),

tenure_band as (
    select * from {{ ref('tenure_band') }}
),

hire as (
    select
        employee_number,
        max(hired_on) as hired_on
    from employees
    group by employee_number
),

participant as (
    select distinct
        employee_number,
        earned_quarter,
        period_start_on,
        period_end_on
    from incentive_participant
),

tenure as (
    select
        participant.employee_number,
        participant.earned_quarter,
        max(tenure_band.least_days) as least_days
    from participant
    inner join hire on participant.employee_number = hire.employee_number
    inner join tenure_band
        on
            tenure_band.least_days
            <= greatest({{ day_count('hire.hired_on', 'participant.period_start_on') }}, 0)
    where hire.hired_on is not null
    group by participant.employee_number, participant.earned_quarter
),

worked_less as (
    select
        participant.employee_number,
        participant.earned_quarter,
        max(case when work_share.reasons like '%part_time %' then 1 else 0 end) as has_worked_part_time,
        max(case when work_share.reasons like '%unpaid_leave %' then 1 else 0 end) as has_taken_leave
    from participant
    inner join work_share
        on
            participant.employee_number = work_share.employee_number
            and participant.period_start_on < work_share.to_on
            and participant.period_end_on > work_share.from_on
    group by participant.employee_number, participant.earned_quarter
),

final as (
    select
        participant.employee_number,
        participant.earned_quarter,
        'tenure' as attribute_code,
        coalesce(tenure_band.tenure_band_code, 'unknown') as attribute_group
    from participant
    left join tenure
        on
            participant.employee_number = tenure.employee_number
            and participant.earned_quarter = tenure.earned_quarter
    left join tenure_band on tenure.least_days = tenure_band.least_days

    union all

    select
        participant.employee_number,
        participant.earned_quarter,
        'work_time' as attribute_code,
        case when worked_less.has_worked_part_time = 1 then 'part_time' else 'full_time' end as attribute_group
    from participant
    left join worked_less
        on
            participant.employee_number = worked_less.employee_number
            and participant.earned_quarter = worked_less.earned_quarter

    union all

    select
        participant.employee_number,
        participant.earned_quarter,
        'unpaid_leave' as attribute_code,
        case when worked_less.has_taken_leave = 1 then 'taken' else 'none' end as attribute_group
    from participant
    left join worked_less
        on
            participant.employee_number = worked_less.employee_number
            and participant.earned_quarter = worked_less.earned_quarter
)

select * from final
