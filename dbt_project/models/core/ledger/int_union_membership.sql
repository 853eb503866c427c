-- From when to when a person was a member of which union, by the terms of employment in the HRIS; of two rows of a day
-- the later entered one holds.
with employment_term as (
    select * from {{ ref('stg_bamboohr__employment_terms') }}
),

employee as (
    select * from {{ ref('stg_bamboohr__employees') }}
),

term_of_day as (
    select
        employee.employee_number,
        employment_term.effective_on,
        employment_term.union_code
    from employment_term
    inner join employee on employment_term.employee_id = employee.employee_id
    where employment_term.effective_on is not null
    qualify row_number() over (
            partition by employee.employee_number, employment_term.effective_on
            order by length(employment_term.employment_term_id) desc, employment_term.employment_term_id desc
        ) = 1
),

closed as (
    select
        *,
        lead(effective_on) over (partition by employee_number order by effective_on) as member_to_on
    from term_of_day
),

final as (
    select
        employee_number,
        union_code,
        effective_on as member_from_on,
        member_to_on
    from closed
    where union_code is not null
)

select * from final
