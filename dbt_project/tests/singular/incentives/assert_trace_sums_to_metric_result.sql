-- The evidence behind a payout line must be the whole evidence of its metric result, no more and no less.
{{ config(meta={'dagster': {'ref': {'name': 'fct_payout_trace'}}}) }}
with traced as (
    select
        payout_line_id,
        sum(numerator_weight) as numerator,
        sum(evidence_weight) as denominator,
        count(*) - count(distinct evidence_key) as repeated_evidence_count
    from {{ ref('fct_payout_trace') }}
    group by payout_line_id
),

failure as (
    select
        fct_incentive_payout.payout_line_id,
        fct_metric_result.numerator,
        fct_metric_result.denominator,
        traced.numerator as traced_numerator,
        traced.denominator as traced_denominator,
        traced.repeated_evidence_count
    from {{ ref('fct_incentive_payout') }} as fct_incentive_payout
    inner join {{ ref('fct_metric_result') }} as fct_metric_result
        on fct_incentive_payout.metric_result_key = fct_metric_result.metric_result_key
    left join traced on fct_incentive_payout.payout_line_id = traced.payout_line_id
    where
        fct_metric_result.numerator <> coalesce(traced.numerator, 0)
        or fct_metric_result.denominator <> coalesce(traced.denominator, 0)
        or traced.repeated_evidence_count > 0
)

select * from failure
