-- Credits and breaches of a subcontractor that reach no primary vendor's card have no consequence for anybody.
{{ config(meta={'requirements': ['LTI-6.6'], 'dagster': {'ref': {'name': 'mart_vendor_scorecard'}}}) }}
with card as (
    select
        vendor_code,
        sum(credit_amount) as credit_amount,
        sum(judged_period_count) as judged_period_count
    from {{ ref('mart_vendor_scorecard') }}
    group by vendor_code
),

owed as (
    select
        primary_vendor_code,
        sum(credit_amount) as credit_amount,
        sum(case when credit_status = 'ok' then 1 else 0 end) as judged_period_count
    from {{ ref('fct_service_credit') }}
    group by primary_vendor_code
)

select
    coalesce(card.vendor_code, owed.primary_vendor_code) as vendor_code,
    card.credit_amount,
    owed.credit_amount as owed_amount
from card
full outer join owed on card.vendor_code = owed.primary_vendor_code
where
    -- a vendor whose only period ends in a quarter that has not begun has no card yet, and nothing on it
    coalesce(card.credit_amount, 0) <> coalesce(owed.credit_amount, 0)
    or coalesce(card.judged_period_count, 0) <> coalesce(owed.judged_period_count, 0)
