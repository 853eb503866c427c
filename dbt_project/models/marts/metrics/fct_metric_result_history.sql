-- Every result that was ever in force and from when to when it was what the warehouse knew. Ask it with the macro
-- metric_as_known: a business day and an instant of knowledge.
with log as (
    select * from {{ ref('int_metric_result_log') }}
),

closed as (
    select
        *,
        lead(known_from_at) over (
            partition by metric_code, entity_type, entity_code, period_grain, period_start_on
            order by entry_number
        ) as known_to_at
    from log
),

final as (
    select
        cast(case when not is_withdrawn then {{ md5_of([
            'metric_code', 'metric_version', 'entity_type', 'entity_code', 'period_grain', 'period_start_on'
        ]) }} end as varchar)
            as metric_result_key,
        cast(metric_code as varchar) as metric_code,
        cast(entity_type as varchar) as entity_type,
        cast(entity_code as varchar) as entity_code,
        cast(period_grain as varchar) as period_grain,
        cast(period_start_on as date) as period_start_on,
        cast(entry_number as bigint) as entry_number,
        cast(known_from_at as timestamp) as known_from_at,
        cast(known_to_at as timestamp) as known_to_at,
        cast(known_to_at is null as boolean) as is_current,
        cast(is_withdrawn as boolean) as is_withdrawn,
        cast(period_end_on as date) as period_end_on,
        cast(metric_version as integer) as metric_version,
        cast(definition_hash as varchar) as definition_hash,
        cast(numerator as bigint) as numerator,
        cast(denominator as bigint) as denominator,
        cast(sample_count as bigint) as sample_count,
        cast(raw_value as decimal(18, 6)) as raw_value,
        cast(metric_value as decimal(18, 6)) as metric_value,
        cast(result_status as varchar) as result_status,
        cast(freeze_status as varchar) as freeze_status,
        cast(freeze_id as varchar) as freeze_id,
        cast(phase as varchar) as phase,
        cast(phase_share as decimal(18, 6)) as phase_share,
        cast(run_id as varchar) as run_id,
        cast(latest_batch_id as varchar) as latest_batch_id,
        cast(content_hash as varchar) as content_hash,
        cast(entry_hash as varchar) as entry_hash
    from closed
)

select * from final
