-- Every payout line of every closed period, as it was closed: what a closed period is read from.
with closed_payout_line as (
    select * from {{ ref('int_closed_payout_line') }}
),

final as (
    select
        cast(closed_payout_line.period_code as varchar) as period_code,
        cast(closed_payout_line.payout_line_id as varchar) as payout_line_id,
        cast(closed_payout_line.plan_code as varchar) as plan_code,
        cast(closed_payout_line.plan_version as integer) as plan_version,
        cast(closed_payout_line.employee_number as varchar) as employee_number,
        cast(closed_payout_line.segment_start_on as date) as segment_start_on,
        cast(closed_payout_line.segment_end_on as date) as segment_end_on,
        cast(closed_payout_line.team_code as varchar) as team_code,
        cast(closed_payout_line.country_code as varchar) as country_code,
        cast(closed_payout_line.cost_centre_code as varchar) as cost_centre_code,
        cast(closed_payout_line.component_code as varchar) as component_code,
        cast(closed_payout_line.metric_result_key as varchar) as metric_result_key,
        cast(closed_payout_line.metric_value as decimal(18, 6)) as metric_value,
        cast(closed_payout_line.paid_value as decimal(18, 6)) as paid_value,
        cast(closed_payout_line.payout_share as decimal(9, 4)) as payout_share,
        cast(closed_payout_line.weight as decimal(9, 4)) as weight,
        cast(closed_payout_line.target_amount as decimal(18, 2)) as target_amount,
        cast(closed_payout_line.payout_amount as decimal(18, 2)) as payout_amount,
        cast(closed_payout_line.currency_code as varchar) as currency_code
    from closed_payout_line
)

select * from final
