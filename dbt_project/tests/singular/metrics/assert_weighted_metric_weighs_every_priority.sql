-- A priority without a weight (or with two) would drop its tickets out of a weighted share, or count them
-- twice.
{{ config(meta={'dagster': {'ref': {'name': 'metric_weight'}}}) }}
with priority_spine as (
    select 1 as priority

    union all

    select 2 as priority

    union all

    select 3 as priority

    union all

    select 4 as priority

    union all

    select 5 as priority
),

failure as (
    select
        metric_definition.metric_code,
        metric_definition.metric_version,
        priority_spine.priority,
        count(metric_weight.weight) as weight_count,
        min(metric_weight.weight) as least_weight
    from {{ ref('metric_definition') }} as metric_definition
    cross join priority_spine
    left join {{ ref('metric_weight') }} as metric_weight
        on
            metric_definition.metric_code = metric_weight.metric_code
            and metric_definition.metric_version = metric_weight.metric_version
            and priority_spine.priority = metric_weight.priority
    where metric_definition.weighting = 'priority'
    group by metric_definition.metric_code, metric_definition.metric_version, priority_spine.priority
    having count(metric_weight.weight) <> 1 or min(metric_weight.weight) <= 0
)

select * from failure
