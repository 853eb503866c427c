-- Evidence of a monitor must be the months of availability it stands for, each with its own batch, and as many
-- monitors as the result counted: months summed under one batch hide where the others came from.
{{ config(meta={'dagster': {'ref': {'name': 'fct_metric_evidence'}}}) }}
with monitor_evidence as (
    select
        evidence.*,
        result.sample_count,
        count(distinct evidence.monitor_id) over (partition by evidence.metric_result_key) as monitor_count
    from {{ ref('fct_metric_evidence') }} as evidence
    inner join {{ ref('fct_metric_result') }} as result on evidence.metric_result_key = result.metric_result_key
    where evidence.evidence_type = 'monitor'
),

failure as (
    select
        monitor_evidence.metric_result_key,
        monitor_evidence.evidence_key,
        monitor_evidence.monitor_id,
        monitor_evidence.period_month,
        monitor_evidence.batch_id,
        availability.batch_id as availability_batch_id,
        monitor_evidence.monitor_count,
        monitor_evidence.sample_count
    from monitor_evidence
    left join {{ ref('fct_availability') }} as availability
        on
            monitor_evidence.monitor_id = availability.monitor_id
            and monitor_evidence.period_month = availability.period_month
    where
        (monitor_evidence.batch_id is distinct from availability.batch_id)
        or monitor_evidence.evidence_key
        <> availability.monitor_id || ':' || left(cast(availability.period_month as varchar), 7)
        or monitor_evidence.monitor_count <> monitor_evidence.sample_count
)

select * from failure
