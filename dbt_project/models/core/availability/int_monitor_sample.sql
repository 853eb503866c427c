with dropped_samples as (
    select * from {{ ref('stg_monitor_samples__samples') }}
),

log_samples as (
    select * from {{ ref('int_log_sample') }}
),

synthetic_results as (
    select * from {{ ref('stg_datadog__synthetic_results') }}
),

rum_events as (
    select * from {{ ref('stg_datadog__rum_events') }}
),

bindings as (
    select * from {{ ref('monitor_binding') }}
),

user_minutes as (
    select
        bindings.monitor_id,
        date_trunc('minute', rum_events.viewed_at) as sampled_at,
        count(*) as view_count,
        sum(
            case
                when rum_events.error_count > 0 or rum_events.response_ms > bindings.slow_after_ms then 1
                else 0
            end
        ) as bad_count,
        max(bindings.bad_share) as bad_share,
        max(rum_events.response_ms) as response_ms,
        max(rum_events.batch_id) as batch_id
    from rum_events
    inner join bindings on rum_events.service_code = bindings.record_key
    where bindings.record_kind = 'real_user'
    group by bindings.monitor_id, date_trunc('minute', rum_events.viewed_at)
),

combined as (
    select
        monitor_id,
        probe_location,
        sampled_at,
        received_at,
        true as has_collector_clock,
        sample_kind,
        source_outcome,
        response_ms,
        batch_id
    from dropped_samples
    union all
    select
        monitor_id,
        log_name as probe_location,
        sampled_at,
        sampled_at as received_at,
        false as has_collector_clock,
        'log_scraped' as sample_kind,
        source_outcome,
        response_ms,
        batch_id
    from log_samples
    union all
    select
        bindings.monitor_id,
        synthetic_results.probe_location,
        synthetic_results.checked_at as sampled_at,
        synthetic_results.checked_at as received_at,
        false as has_collector_clock,
        'synthetic' as sample_kind,
        synthetic_results.source_outcome,
        cast(floor(synthetic_results.response_ms) as integer) as response_ms,
        synthetic_results.batch_id
    from synthetic_results
    inner join bindings on synthetic_results.test_public_id = bindings.record_key
    where bindings.record_kind = 'synthetic_test'
    union all
    select
        monitor_id,
        'browsers' as probe_location,
        sampled_at,
        sampled_at as received_at,
        false as has_collector_clock,
        'real_user' as sample_kind,
        case when bad_count > 0 and bad_count >= bad_share * view_count then 'bad' else 'good' end as source_outcome,
        cast(response_ms as integer) as response_ms,
        batch_id
    from user_minutes
)

select * from combined
