-- From when to when each version of a metric is in force: the one place that says it, and only of versions whose gates
-- held. A version that was refused has no row.
with metric_activation as (
    select * from {{ ref('int_metric_activation') }}
    where is_activated
),

final as (
    select
        metric_code,
        metric_version,
        effective_from,
        effective_to
    from metric_activation
)

select * from final
