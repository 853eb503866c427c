-- From each payout line to every ticket or month of a monitor its component was measured on, and the extract
-- batch that brought it in.
with fct_incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

fct_metric_evidence as (
    select * from {{ ref('fct_metric_evidence') }}
),

final as (
    select
        cast(fct_incentive_payout.payout_line_id as varchar) as payout_line_id,
        cast(fct_metric_evidence.evidence_type as varchar) as evidence_type,
        cast(fct_metric_evidence.evidence_key as varchar) as evidence_key,
        cast(fct_metric_evidence.ticket_slt_key as varchar) as ticket_slt_key,
        cast(fct_metric_evidence.monitor_id as varchar) as monitor_id,
        cast(fct_metric_evidence.period_month as date) as period_month,
        cast(fct_metric_evidence.metric_result_key as varchar) as metric_result_key,
        cast(fct_metric_evidence.is_in_numerator as boolean) as is_in_numerator,
        cast(fct_metric_evidence.numerator_weight as bigint) as numerator_weight,
        cast(fct_metric_evidence.evidence_weight as bigint) as evidence_weight,
        cast(fct_metric_evidence.batch_id as varchar) as batch_id
    from fct_incentive_payout
    inner join fct_metric_evidence
        on fct_incentive_payout.metric_result_key = fct_metric_evidence.metric_result_key
)

select * from final
