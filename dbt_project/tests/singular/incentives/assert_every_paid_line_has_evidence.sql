-- Every cent is traced: a line that pays must lead to at least one ticket or monitor that counted for it.
{{ config(meta={'dagster': {'ref': {'name': 'fct_payout_trace'}}}) }}
select
    fct_incentive_payout.payout_line_id,
    fct_incentive_payout.employee_number,
    fct_incentive_payout.earned_quarter,
    fct_incentive_payout.component_code,
    fct_incentive_payout.payout_amount
from {{ ref('fct_incentive_payout') }} as fct_incentive_payout
left join {{ ref('fct_payout_trace') }} as fct_payout_trace
    on
        fct_incentive_payout.payout_line_id = fct_payout_trace.payout_line_id
        and fct_payout_trace.is_in_numerator
where fct_incentive_payout.payout_amount <> 0 and fct_payout_trace.payout_line_id is null
