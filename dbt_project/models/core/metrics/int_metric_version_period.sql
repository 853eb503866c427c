-- From when to when each version of a metric is in force: the one place that says it. A version that has not passed
-- its gates is not here, and the one before it goes on.
with metric_activation as (
    select * from {{ ref('int_metric_activation') }}
),

final as (
    select
        metric_code,
        metric_version,
        effective_from,
        effective_to
    from metric_activation
    where is_activated
)

select * from final
