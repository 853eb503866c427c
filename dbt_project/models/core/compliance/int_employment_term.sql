-- Employment terms of a person in time: jurisdiction, exempt status, tier and union as half-open ranges of days. Two
-- rows of one day: the later entered one holds.
with employees as (
    select * from {{ ref('stg_bamboohr__employees') }}
),

employment_terms as (
    select * from {{ ref('stg_bamboohr__employment_terms') }}
    where effective_on is not null
),

term_of_day as (
    select
        employee_id,
        effective_on,
        jurisdiction_code,
        exempt_status,
        tier,
        union_code
    from employment_terms
    qualify row_number() over (
            partition by employee_id, effective_on
            order by entered_on desc, length(employment_term_id) desc, employment_term_id desc
        ) = 1
),

final as (
    select
        employees.employee_number,
        term_of_day.effective_on as valid_from_on,
        coalesce(
            lead(term_of_day.effective_on) over (
                partition by employees.employee_number order by term_of_day.effective_on
            ),
            date '9999-12-31'
        ) as valid_to_on,
        term_of_day.jurisdiction_code,
        term_of_day.exempt_status,
        term_of_day.tier,
        term_of_day.union_code
    from term_of_day
    inner join employees on term_of_day.employee_id = employees.employee_id
    where employees.employee_number is not null
)

select * from final
