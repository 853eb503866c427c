-- Slices of time that a freeze takes out of the measurement of a metric, per entity (null: every one of the type).
with metric_freeze as (
    select * from {{ ref('int_metric_freeze') }}
    where is_effective and freeze_policy = 'exclude'
),

metric_day as (
    select * from {{ ref('int_metric_day') }}
),

final as (
    select
        metric_freeze.freeze_id,
        metric_freeze.metric_code,
        metric_freeze.entity_type,
        metric_freeze.entity_code,
        metric_day.slice_from_on,
        count(*) as frozen_days
    from metric_freeze
    inner join metric_day on metric_day.day_on between metric_freeze.frozen_from_on and metric_freeze.frozen_to_on
    group by
        metric_freeze.freeze_id, metric_freeze.metric_code, metric_freeze.entity_type, metric_freeze.entity_code,
        metric_day.slice_from_on
)

select * from final
