-- What versions that are not in force in a period say of it, beside the version that is: each as fct_metric_result has
-- it or would have it. No plan reads it.
with metric_result as (
    select * from {{ ref('int_metric_result') }}
),

replayed_period as (
    select distinct
        metric_code,
        entity_type,
        period_grain,
        period_start_on
    from metric_result
    where not is_in_force
),

compared as (
    select metric_result.*
    from metric_result
    inner join replayed_period
        on
            metric_result.metric_code = replayed_period.metric_code
            and metric_result.entity_type = replayed_period.entity_type
            and metric_result.period_grain = replayed_period.period_grain
            and metric_result.period_start_on = replayed_period.period_start_on
),

final as (
    select
        {{ metric_result_columns() }},
        cast(case when is_in_force then 'in_force' else 'replayed' end as varchar) as result_kind
    from compared
)

select * from final
