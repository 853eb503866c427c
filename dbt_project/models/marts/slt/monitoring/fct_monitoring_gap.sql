{#- Datadog says No Data ten minutes after the last point by default; what lasts longer than an hour is looked at. -#}
{%- set silent_seconds = 3600 -%}
with hours as (
    select * from {{ ref('int_monitor_hour') }}
),

transition_intervals as (
    select * from {{ ref('int_monitor_interval') }}
),

-- only hours that lack a sample are taken apart
lacking as (
    select
        monitor_id,
        service_code,
        sample_kind,
        is_required,
        expected_interval_seconds,
        missing_after_seconds,
        hour_number,
        expected_seconds,
        sample_bits,
        {{ number_spine('0', 'expected_count - 1') }} as slot_number
    from hours
    where {{ bits_set('sample_bits') }} < expected_count
),

missing as (
    select
        *,
        hour_number * 3600 + slot_number * expected_interval_seconds as from_second,
        hour_number * 3600 + least((slot_number + 1) * expected_interval_seconds, expected_seconds) as to_second
    from lacking
    where {{ bit_value('sample_bits', 'slot_number') }} = 0
),

marked as (
    select
        *,
        case
            when lag(to_second) over (partition by monitor_id order by from_second) = from_second then 0
            else 1
        end as begins_gap
    from missing
),

numbered as (
    select
        *,
        sum(begins_gap) over (
            partition by monitor_id order by from_second rows between unbounded preceding and current row
        ) as gap_number
    from marked
),

sample_gaps as (
    select
        monitor_id,
        max(service_code) as service_code,
        'missing_samples' as gap_kind,
        max(sample_kind) as sample_kind,
        bool_and(is_required) as is_required,
        {{ from_epoch_seconds('min(from_second)') }} as gap_from_at,
        {{ from_epoch_seconds('max(to_second)') }} as gap_to_at,
        count(*) as missing_count,
        sum(to_second - from_second) as gap_seconds,
        max(missing_after_seconds) as allowed_seconds
    from numbered
    group by monitor_id, gap_number
),

silent_intervals as (
    select
        monitor_id,
        service_code,
        case when source_state is null then 'not_reported_yet' else 'no_data' end as gap_kind,
        cast(null as varchar) as sample_kind,
        true as is_required,
        from_at as gap_from_at,
        to_at as gap_to_at,
        cast(null as bigint) as missing_count,
        interval_seconds as gap_seconds,
        {{ silent_seconds }} as allowed_seconds
    from transition_intervals
    where monitor_state = 'unknown'
),

combined as (
    select * from sample_gaps
    union all
    select * from silent_intervals
),

final as (
    select
        cast(monitor_id as varchar) as monitor_id,
        cast(service_code as varchar) as service_code,
        cast(gap_kind as varchar) as gap_kind,
        cast(sample_kind as varchar) as sample_kind,
        is_required,
        cast(gap_from_at as timestamp) as gap_from_at,
        cast(gap_to_at as timestamp) as gap_to_at,
        cast(missing_count as bigint) as missing_count,
        cast(gap_seconds as bigint) as gap_seconds,
        cast(allowed_seconds as bigint) as allowed_seconds,
        gap_seconds > allowed_seconds as is_flagged
    from combined
)

select * from final
