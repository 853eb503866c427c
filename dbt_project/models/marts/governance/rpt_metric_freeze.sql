-- Every request to freeze a metric: whether it took effect, why not, and how many results it touched.
with metric_freeze as (
    select * from {{ ref('int_metric_freeze') }}
),

metric_result as (
    select * from {{ ref('fct_metric_result') }}
    where freeze_status <> 'none'
),

-- a result names its first freeze; those it shares a period with are found by scope and days
touched as (
    select
        metric_freeze.freeze_id,
        count(*) as result_count,
        sum(case when metric_result.freeze_status = 'carried' then 1 else 0 end) as carried_count,
        sum(case when metric_result.freeze_status = 'suspended' then 1 else 0 end) as suspended_count
    from metric_freeze
    inner join metric_result
        on
            metric_freeze.metric_code = metric_result.metric_code
            and metric_result.entity_type = coalesce(metric_freeze.entity_type, metric_result.entity_type)
            and metric_result.entity_code = coalesce(metric_freeze.entity_code, metric_result.entity_code)
            and metric_freeze.frozen_from_on < metric_result.period_end_on
            and metric_freeze.frozen_to_on >= metric_result.period_start_on
    where metric_freeze.is_effective
    group by metric_freeze.freeze_id
),

final as (
    select
        cast(metric_freeze.freeze_id as varchar) as freeze_id,
        cast(metric_freeze.metric_code as varchar) as metric_code,
        cast(metric_freeze.entity_type as varchar) as entity_type,
        cast(metric_freeze.entity_code as varchar) as entity_code,
        cast(metric_freeze.frozen_from_on as date) as frozen_from_on,
        cast(metric_freeze.frozen_to_on as date) as frozen_to_on,
        cast(metric_freeze.freeze_policy as varchar) as freeze_policy,
        cast(metric_freeze.reason as varchar) as reason,
        cast(metric_freeze.requested_by as varchar) as requested_by,
        cast(metric_freeze.approved_by as varchar) as approved_by,
        cast(metric_freeze.approved_on as date) as approved_on,
        cast(metric_freeze.decision as varchar) as decision,
        cast(metric_freeze.recorded_at as timestamp) as recorded_at,
        cast(metric_freeze.is_effective as boolean) as is_effective,
        cast(metric_freeze.refusal_reasons as varchar) as refusal_reasons,
        cast(coalesce(touched.result_count, 0) as bigint) as result_count,
        cast(coalesce(touched.carried_count, 0) as bigint) as carried_count,
        cast(coalesce(touched.suspended_count, 0) as bigint) as suspended_count
    from metric_freeze
    left join touched on metric_freeze.freeze_id = touched.freeze_id
)

select * from final
