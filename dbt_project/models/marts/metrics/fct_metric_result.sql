-- Result of the version in force of every metric, for every entity and every month and quarter that has begun.
with metric_result as (
    select * from {{ ref('int_metric_result') }}
    where is_in_force
),

final as (
    select
        {{ metric_result_columns() }}
    from metric_result
)

select * from final
