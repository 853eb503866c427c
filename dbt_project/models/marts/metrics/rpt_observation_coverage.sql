with coverage as (
    select * from {{ ref('int_observation_coverage') }}
),

final as (
    select
        cast(observation_kind as varchar) as observation_kind,
        cast(observation_status as varchar) as observation_status,
        cast(observation_status = 'observed' as boolean) as is_observed,
        cast(record_count as bigint) as record_count,
        {{ round_half_up_ratio('record_count', 'sum(record_count) over (partition by observation_kind)', 6) }}
            as record_share
    from coverage
)

select * from final
