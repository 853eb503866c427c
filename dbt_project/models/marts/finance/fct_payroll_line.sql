-- Each payroll register line of a known earning role, an incentive line with the reconciliation row it is summed
-- in: from a payout to the line it was paid by, and on to the register it came with.
with payroll_line as (
    select * from {{ ref('int_payroll_line') }}
),

rec_payout_to_payroll as (
    select * from {{ ref('rec_payout_to_payroll') }}
),

final as (
    select
        cast(payroll_line.payroll_line_id as varchar) as payroll_line_id,
        cast(payroll_line.pay_period as varchar) as pay_period,
        cast(payroll_line.employee_number as varchar) as employee_number,
        cast(payroll_line.earning_code as varchar) as earning_code,
        cast(payroll_line.earning_role as varchar) as earning_role,
        cast(payroll_line.amount as decimal(18, 2)) as amount,
        cast(payroll_line.currency_code as varchar) as currency_code,
        cast(payroll_line.paid_on as date) as paid_on,
        cast(payroll_line.cost_centre_code as varchar) as cost_centre_code,
        cast(payroll_line.earned_quarter as varchar) as earned_quarter,
        cast(rec_payout_to_payroll.rec_key as varchar) as rec_payout_to_payroll_key,
        cast(payroll_line.batch_id as varchar) as batch_id
    from payroll_line
    left join rec_payout_to_payroll
        on
            payroll_line.earning_role = 'incentive'
            and (payroll_line.employee_number is not distinct from rec_payout_to_payroll.employee_number)
            and (payroll_line.earned_quarter is not distinct from rec_payout_to_payroll.earned_quarter)
            and (payroll_line.currency_code is not distinct from rec_payout_to_payroll.currency_code)
)

select * from final
