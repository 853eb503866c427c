-- The clock of each source system against ours by day, from the dates of its answers. The interval in which the
-- offset must lie is that of all extracts of the day; where they contradict each other (a clock was set), its middle
-- still stands.
with source_clock as (
    select * from {{ source('landing', 'source_clock') }}
),

days as (
    select
        source as source_name,
        cast(measured_at as date) as measured_on,
        count(*) as extract_count,
        sum(reading_count) as reading_count,
        max(offset_low_seconds) as offset_low,
        min(offset_high_seconds) as offset_high
    from source_clock
    group by source, cast(measured_at as date)
),

final as (
    select
        source_name,
        measured_on,
        cast(extract_count as bigint) as extract_count,
        cast(reading_count as bigint) as reading_count,
        -- half a second is within what a date cut to the second can tell
        cast(floor((offset_low + offset_high) * 0.5 + 0.5) as bigint) as offset_seconds,
        cast(floor(least(offset_low, offset_high) + 0.5) as bigint) as lowest_offset_seconds,
        cast(floor(greatest(offset_low, offset_high) + 0.5) as bigint) as highest_offset_seconds
    from days
)

select * from final
