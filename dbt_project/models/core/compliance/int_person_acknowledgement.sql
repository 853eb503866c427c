-- Whether each person has acknowledged each plan version, as of the run.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

acknowledgements as (
    select * from {{ ref('stg_bamboohr__plan_acknowledgements') }}
),

employees as (
    select * from {{ ref('stg_bamboohr__employees') }}
),

final as (
    select
        employees.employee_number,
        acknowledgements.plan_code,
        acknowledgements.plan_version,
        max(acknowledgements.sent_on) as sent_on,
        min(
            case
                when acknowledgements.acknowledged_at <= run_context.as_of_at then acknowledgements.acknowledged_at
            end
        ) as acknowledged_at
    from acknowledgements
    cross join run_context
    inner join employees on acknowledgements.employee_id = employees.employee_id
    where acknowledgements.sent_on <= cast(run_context.as_of_at as date)
    group by employees.employee_number, acknowledgements.plan_code, acknowledgements.plan_version
)

select * from final
