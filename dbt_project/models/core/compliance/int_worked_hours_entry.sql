-- Each entry of hours actually worked, and whether it counts. The latest accepted entry of a person and day holds.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

worked_hours_entry as (
    select * from {{ ref('worked_hours_entry') }}
),

employees as (
    select * from {{ ref('stg_bamboohr__employees') }}
),

judged as (
    select
        worked_hours_entry.entry_id,
        worked_hours_entry.employee_number,
        worked_hours_entry.work_on,
        worked_hours_entry.worked_minutes,
        worked_hours_entry.recorded_at,
        case
            when worked_hours_entry.entry_status <> 'accepted' then 'withdrawn'
            when employees.employee_number is null then 'person_unknown'
            when cast(worked_hours_entry.recorded_at as date) < worked_hours_entry.work_on then 'ahead_of_the_day'
            when worked_hours_entry.recorded_at > run_context.as_of_at then 'not_recorded_yet'
        end as refusal_reason
    from worked_hours_entry
    cross join run_context
    left join employees on worked_hours_entry.employee_number = employees.employee_number
),

ranked as (
    select
        *,
        row_number() over (
            partition by employee_number, work_on, refusal_reason is null order by recorded_at desc, entry_id desc
        ) as entry_number
    from judged
),

final as (
    select
        entry_id,
        employee_number,
        work_on,
        worked_minutes,
        recorded_at,
        case
            when refusal_reason is null and entry_number > 1 then 'replaced' else refusal_reason
        end as refusal_reason,
        refusal_reason is null and entry_number = 1 as is_counted
    from ranked
)

select * from final
