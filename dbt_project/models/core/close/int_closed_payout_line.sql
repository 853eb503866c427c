-- The payout lines of the closed periods, as they were closed.
with closed_payout_line as (
    select * from {{ source('landing', 'closed_payout_line') }}
),

final as (
    select
        period_code,
        payout_line_id,
        plan_code,
        plan_version,
        employee_number,
        segment_start_on,
        segment_end_on,
        team_code,
        country_code,
        cost_centre_code,
        component_code,
        metric_result_key,
        metric_value,
        paid_value,
        payout_share,
        weight,
        target_amount,
        payout_amount,
        currency_code
    from closed_payout_line
)

select * from final
