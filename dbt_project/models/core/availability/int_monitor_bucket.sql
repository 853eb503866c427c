with hours as (
    select * from {{ ref('int_monitor_hour') }}
),

windows as (
    select * from {{ ref('int_monitoring_window') }}
),

buckets as (
    select
        hours.*,
        {{ number_spine('0', int_div('hours.expected_seconds - 1', '300')) }} * 300 as bucket_from
    from hours
),

bounded as (
    select
        *,
        least(bucket_from + 300, expected_seconds) as bucket_to,
        -- the first interval that begins in the bucket, and the first that begins after it
        {{ int_div('bucket_from + expected_interval_seconds - 1', 'expected_interval_seconds') }} as first_slot,
        {{ int_div(
            'least(bucket_from + 300, expected_seconds) + expected_interval_seconds - 1', 'expected_interval_seconds'
        ) }} as end_slot
    from buckets
),

measured as (
    select
        *,
        {{ bits_without('(' ~ bit_at('end_slot') ~ ' - 1)', '(' ~ bit_at('first_slot') ~ ' - 1)') }} as begun_bits,
        {{ bit_seconds_before('up_bits', 'bucket_to', 'expected_interval_seconds') }}
        - {{ bit_seconds_before('up_bits', 'bucket_from', 'expected_interval_seconds') }} as up_seconds,
        {{ bit_seconds_before('down_bits', 'bucket_to', 'expected_interval_seconds') }}
        - {{ bit_seconds_before('down_bits', 'bucket_from', 'expected_interval_seconds') }} as down_seconds
    from bounded
),

overlapping as (
    select
        measured.monitor_id,
        measured.hour_number,
        measured.bucket_from,
        measured.expected_interval_seconds,
        measured.up_bits,
        measured.down_bits,
        windows.is_maintenance,
        greatest(windows.from_second, measured.bucket_from) as from_second,
        least(windows.to_second, measured.bucket_to) as to_second
    from measured
    inner join windows
        on
            measured.service_code = windows.service_code
            and measured.hour_number = windows.hour_number
            and measured.bucket_from < windows.to_second
            and measured.bucket_to > windows.from_second
),

windowed as (
    select
        monitor_id,
        hour_number,
        bucket_from,
        sum(case when is_maintenance then to_second - from_second else 0 end) as maintenance_seconds,
        sum(case when is_maintenance then 0 else to_second - from_second end) as excluded_seconds,
        sum(
            {{ bit_seconds_before('up_bits', 'to_second', 'expected_interval_seconds') }}
            - {{ bit_seconds_before('up_bits', 'from_second', 'expected_interval_seconds') }}
        ) as excluded_up_seconds,
        sum(
            {{ bit_seconds_before('down_bits', 'to_second', 'expected_interval_seconds') }}
            - {{ bit_seconds_before('down_bits', 'from_second', 'expected_interval_seconds') }}
        ) as excluded_down_seconds
    from overlapping
    group by monitor_id, hour_number, bucket_from
),

final as (
    select
        measured.monitor_id,
        measured.service_code,
        measured.sample_kind,
        measured.is_required,
        {{ from_epoch_seconds('measured.hour_number * 3600 + measured.bucket_from') }} as bucket_at,
        cast(measured.end_slot - measured.first_slot as bigint) as expected_count,
        {{ bits_set(bits_in_both('measured.sample_bits', 'measured.begun_bits')) }} as sample_count,
        {{ bits_set(bits_in_both('measured.up_bits', 'measured.begun_bits')) }} as good_count,
        {{ bits_set(bits_in_both('measured.down_bits', 'measured.begun_bits')) }} as bad_count,
        cast(measured.up_seconds as bigint) as up_seconds,
        cast(measured.down_seconds as bigint) as down_seconds,
        cast(measured.bucket_to - measured.bucket_from - measured.up_seconds - measured.down_seconds as bigint)
            as unknown_seconds,
        cast(coalesce(windowed.maintenance_seconds, 0) as bigint) as maintenance_seconds,
        cast(coalesce(windowed.excluded_seconds, 0) as bigint) as excluded_seconds,
        cast(coalesce(windowed.excluded_up_seconds, 0) as bigint) as excluded_up_seconds,
        cast(coalesce(windowed.excluded_down_seconds, 0) as bigint) as excluded_down_seconds
    from measured
    left join windowed
        on
            measured.monitor_id = windowed.monitor_id
            and measured.hour_number = windowed.hour_number
            and measured.bucket_from = windowed.bucket_from
)

select * from final
