-- Every stretch of duty outside hours that the register of duties knows, with who did it and where that person stood.
with on_call_rotation as (
    select * from {{ ref('stg_bamboohr__on_call_rotations') }}
),

shift as (
    select * from {{ ref('stg_bamboohr__shifts') }}
),

approved_leave as (
    select * from {{ ref('stg_bamboohr__time_off_requests') }}
    where request_status = 'approved'
),

on_call_duty as (
    select * from {{ ref('on_call_duty') }}
),

employee_assignment as (
    select * from {{ ref('int_employee_assignment') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

recorded as (
    select
        'rotation' as duty_source,
        on_call_rotation_id as duty_id,
        rotation_code as duty_code,
        employee_id,
        starts_at,
        ends_at,
        cast({{ utc_to_local('starts_at', "coalesce(time_zone, 'Etc/UTC')") }} as date) as duty_on,
        batch_id
    from on_call_rotation

    union all

    select
        'shift' as duty_source,
        shift_id as duty_id,
        shift_code as duty_code,
        employee_id,
        starts_at,
        ends_at,
        cast({{ utc_to_local('starts_at', "coalesce(time_zone, 'Etc/UTC')") }} as date) as duty_on,
        batch_id
    from shift
),

on_leave as (
    select distinct
        recorded.duty_source,
        recorded.duty_id
    from recorded
    inner join approved_leave
        on
            recorded.employee_id = approved_leave.employee_id
            and recorded.duty_on >= approved_leave.first_on
            and recorded.duty_on <= approved_leave.last_on
),

final as (
    select
        {{ md5_of(['recorded.duty_source', 'recorded.duty_id']) }} as on_call_stretch_key,
        recorded.duty_source,
        recorded.duty_id,
        recorded.duty_code,
        on_call_duty.criticality,
        recorded.employee_id,
        employee_assignment.employee_number,
        employee_assignment.team_code,
        employee_assignment.country_code,
        recorded.starts_at,
        recorded.ends_at,
        recorded.duty_on,
        case
            when recorded.ends_at <= recorded.starts_at then 'ends_before_it_starts'
            when recorded.ends_at > run_context.as_of_at then 'not_ended'
            when employee_assignment.employee_number is null then 'not_employed'
            when on_leave.duty_id is not null then 'on_leave'
        end as refusal_code,
        recorded.batch_id
    from recorded
    cross join run_context
    inner join on_call_duty
        on
            recorded.duty_source = on_call_duty.duty_source
            and recorded.duty_code = on_call_duty.duty_code
            and recorded.duty_on >= on_call_duty.effective_from
            and recorded.duty_on <= coalesce(on_call_duty.effective_to, date '9999-12-31')
    left join employee_assignment
        on
            recorded.employee_id = employee_assignment.employee_id
            and recorded.duty_on >= employee_assignment.assigned_from_on
            and (
                employee_assignment.assigned_to_on is null
                or recorded.duty_on < employee_assignment.assigned_to_on
            )
    left join on_leave
        on recorded.duty_source = on_leave.duty_source and recorded.duty_id = on_leave.duty_id
)

select * from final
