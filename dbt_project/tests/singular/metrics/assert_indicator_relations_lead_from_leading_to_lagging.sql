-- A relation that starts from a lagging indicator, or of a metric not measured for its entities, would be tested on
-- nothing or prove the wrong thing.
{{ config(meta={'dagster': {'ref': {'name': 'rpt_leading_indicator'}}, 'requirements': ['OPS-1.1', 'LTI-2.1']}) }}
with role as (
    select
        relation_code,
        leading_metric_code as metric_code,
        entity_type,
        'leading' as indicator_type
    from {{ ref('indicator_relation') }}
    union all
    select
        relation_code,
        lagging_metric_code as metric_code,
        entity_type,
        'lagging' as indicator_type
    from {{ ref('indicator_relation') }}
),

failure as (
    select
        role.relation_code,
        role.metric_code,
        role.indicator_type
    from role
    left join {{ ref('dim_metric_definition') }} as dim_metric_definition
        on
            role.metric_code = dim_metric_definition.metric_code
            and role.indicator_type = dim_metric_definition.indicator_type
            and concat(', ', dim_metric_definition.entity_types, ',')
            like concat('%, ', role.entity_type, ',%')
    where dim_metric_definition.metric_code is null
)

select * from failure
