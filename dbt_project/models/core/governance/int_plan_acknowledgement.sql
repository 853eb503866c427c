-- How many persons of a country a plan document went to and how many acknowledged it, as the HRIS has it.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

acknowledgements as (
    select * from {{ ref('stg_bamboohr__plan_acknowledgements') }}
),

employees as (
    select * from {{ ref('stg_bamboohr__employees') }}
),

open_days as (
    select
        employees.country_code,
        acknowledgements.plan_code,
        acknowledgements.plan_version,
        acknowledgements.communication_code,
        acknowledgements.sent_on,
        acknowledgements.acknowledged_at is not null
        and acknowledgements.acknowledged_at <= run_context.as_of_at as is_acknowledged,
        {{ day_count('acknowledgements.sent_on', 'run_context.as_of_at') }} as open_days
    from acknowledgements
    cross join run_context
    left join employees on acknowledgements.employee_id = employees.employee_id
    where acknowledgements.sent_on <= cast(run_context.as_of_at as date)
),

final as (
    select
        plan_code,
        plan_version,
        communication_code,
        coalesce(country_code, '') as country_code,
        count(*) as recipient_count,
        sum(case when is_acknowledged then 1 else 0 end) as acknowledged_count,
        max(case when not is_acknowledged then open_days end) as longest_open_days
    from open_days
    group by plan_code, plan_version, communication_code, coalesce(country_code, '')
)

select * from final
