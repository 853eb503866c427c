-- Payroll register lines whose earning code has a role the warehouse knows, with that role.
with register_line as (
    select * from {{ ref('stg_payroll__register_lines') }}
),

payroll_earning_code as (
    select * from {{ ref('payroll_earning_code') }}
    where earning_role in ('incentive', 'base')
),

final as (
    select
        register_line.payroll_line_id,
        register_line.pay_period,
        register_line.employee_number,
        register_line.earning_code,
        payroll_earning_code.earning_role,
        register_line.amount,
        register_line.currency_code,
        register_line.paid_on,
        register_line.cost_centre_code,
        register_line.earned_quarter,
        register_line.batch_id
    from register_line
    inner join payroll_earning_code on register_line.earning_code = payroll_earning_code.earning_code
)

select * from final
