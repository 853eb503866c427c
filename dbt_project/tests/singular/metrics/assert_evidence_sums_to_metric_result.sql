-- The evidence of a result a plan pays on must add up to it: a ticket lost or repeated on the way would move pay
-- unseen.
{{ config(meta={'dagster': {'ref': {'name': 'fct_metric_evidence'}}}) }}
with evidence_sum as (
    select
        metric_result_key,
        sum(numerator_weight) as numerator,
        sum(evidence_weight) as denominator
    from {{ ref('fct_metric_evidence') }}
    group by metric_result_key
),

failure as (
    select
        fct_metric_result.metric_result_key,
        fct_metric_result.metric_code,
        fct_metric_result.entity_code,
        fct_metric_result.period_grain,
        fct_metric_result.period_start_on,
        fct_metric_result.numerator,
        fct_metric_result.denominator,
        evidence_sum.numerator as evidence_numerator,
        evidence_sum.denominator as evidence_denominator
    from {{ ref('fct_metric_result') }} as fct_metric_result
    left join evidence_sum on fct_metric_result.metric_result_key = evidence_sum.metric_result_key
    where
        fct_metric_result.entity_type = 'team'
        and fct_metric_result.metric_code in (
            select plan_component.metric_code from {{ ref('plan_component') }} as plan_component
        )
        and (
            fct_metric_result.numerator <> coalesce(evidence_sum.numerator, 0)
            or fct_metric_result.denominator <> coalesce(evidence_sum.denominator, 0)
        )
)

select * from failure
