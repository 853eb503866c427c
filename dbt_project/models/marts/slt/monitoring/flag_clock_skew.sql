with source_clocks as (
    select * from {{ ref('int_source_clock') }}
),

sample_clocks as (
    select * from {{ ref('int_sample_clock') }}
),

alert_tickets as (
    select * from {{ ref('int_alert_ticket') }}
    where match_status = 'matched'
),

limits as (
    select * from {{ ref('clock_skew_limit') }}
),

ordered_tickets as (
    select
        ticket_system,
        cast(opened_at as date) as day_on,
        offset_seconds,
        row_number() over (
            partition by ticket_system, cast(opened_at as date) order by offset_seconds, alert_ticket_key
        ) as offset_number,
        count(*) over (partition by ticket_system, cast(opened_at as date)) as pair_count,
        min(offset_seconds) over (partition by ticket_system, cast(opened_at as date)) as lowest_offset_seconds,
        max(offset_seconds) over (partition by ticket_system, cast(opened_at as date)) as highest_offset_seconds
    from alert_tickets
),

readings as (
    select
        'http_date' as measure_code,
        source_name as first_system,
        'warehouse' as second_system,
        '' as subject_code,
        measured_on as day_on,
        reading_count,
        offset_seconds,
        lowest_offset_seconds,
        highest_offset_seconds,
        false as is_corrected,
        'extract' as touched_kind,
        extract_count as touched_count
    from source_clocks
    union all
    select
        'probe_to_collector' as measure_code,
        concat(monitor_id, '/', probe_location) as first_system,
        'collector' as second_system,
        monitor_id as subject_code,
        sampled_on as day_on,
        delivery_count as reading_count,
        -median_delay_seconds as offset_seconds,
        -median_delay_seconds as lowest_offset_seconds,
        -median_delay_seconds as highest_offset_seconds,
        is_corrected,
        'sample' as touched_kind,
        delivery_count as touched_count
    from sample_clocks
    where has_two_clocks
    union all
    select
        'alert_to_ticket' as measure_code,
        'datadog' as first_system,
        ticket_system as second_system,
        '' as subject_code,
        day_on,
        pair_count as reading_count,
        offset_seconds,
        lowest_offset_seconds,
        highest_offset_seconds,
        false as is_corrected,
        'ticket' as touched_kind,
        pair_count as touched_count
    from ordered_tickets
    where offset_number = {{ int_div('pair_count + 1', '2') }}
),

judged as (
    select
        readings.*,
        limits.lowest_seconds,
        limits.highest_seconds,
        case
            when limits.lowest_seconds is null or limits.highest_seconds is null then 'no_limit'
            when readings.reading_count < limits.minimum_reading_count then 'too_few_readings'
            when readings.offset_seconds > limits.highest_seconds then 'first_ahead'
            when readings.offset_seconds < limits.lowest_seconds then 'first_behind'
            else 'within_limits'
        end as skew_status
    from readings
    left join limits on readings.measure_code = limits.measure_code
),

final as (
    select
        cast(measure_code as varchar) as measure_code,
        cast(first_system as varchar) as first_system,
        cast(second_system as varchar) as second_system,
        cast(subject_code as varchar) as subject_code,
        cast(day_on as date) as day_on,
        cast(reading_count as bigint) as reading_count,
        cast(offset_seconds as bigint) as offset_seconds,
        cast(lowest_offset_seconds as bigint) as lowest_offset_seconds,
        cast(highest_offset_seconds as bigint) as highest_offset_seconds,
        cast(lowest_seconds as bigint) as lowest_limit_seconds,
        cast(highest_seconds as bigint) as highest_limit_seconds,
        cast(skew_status as varchar) as skew_status,
        skew_status in ('first_ahead', 'first_behind') as is_flagged,
        cast(is_corrected as boolean) as is_corrected,
        cast(touched_kind as varchar) as touched_kind,
        cast(touched_count as bigint) as touched_count
    from judged
)

select * from final
