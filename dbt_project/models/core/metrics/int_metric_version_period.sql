-- From when to when each version of a metric is in force: the one place that says it.
with metric_definition as (
    select * from {{ ref('metric_definition') }}
),

final as (
    select
        metric_code,
        metric_version,
        effective_from,
        effective_to
    from metric_definition
)

select * from final
