-- Too few events can never pay.
select
    payout_line_id,
    employee_number,
    earned_quarter,
    component_code,
    payout_amount
from {{ ref('fct_incentive_payout') }}
where (result_status <> 'ok' or metric_value is null) and (payout_share <> 0 or payout_amount <> 0)
