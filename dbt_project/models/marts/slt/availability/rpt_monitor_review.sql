{%- set flapping_changes = 6 -%}
{%- set skew_seconds = 30 -%}
with hours as (
    select * from {{ ref('int_monitor_hour') }}
),

clocks as (
    select * from {{ ref('int_sample_clock') }}
),

register as (
    select * from {{ ref('monitor_register') }}
),

services as (
    select distinct
        monitor_id,
        service_code
    from register
),

days as (
    select
        monitor_id,
        cast(hour_at as date) as day_on,
        sum(state_change_count) as state_change_count,
        sum({{ bits_set('disputed_bits') }}) as disputed_count,
        sum(expected_count - {{ bits_set('sample_bits') }}) as missing_count,
        sum((expected_count - {{ bits_set('sample_bits') }}) * expected_interval_seconds) as missing_seconds,
        max(missing_after_seconds) as missing_after_seconds
    from hours
    group by monitor_id, cast(hour_at as date)
),

findings as (
    select
        monitor_id,
        '' as probe_location,
        day_on,
        'flapping' as finding_code,
        state_change_count as finding_count,
        concat(
            'Changed between up and down ', cast(state_change_count as varchar),
            ' times in the day: see whether the probe or the service is unsteady'
        ) as finding_text
    from days
    where state_change_count >= {{ flapping_changes }}
    union all
    select
        monitor_id,
        '' as probe_location,
        day_on,
        'suspected_false_positive' as finding_code,
        disputed_count as finding_count,
        concat(
            'Bad from one place and good from another in ', cast(disputed_count as varchar),
            ' intervals: look at the probe and its way to the service'
        ) as finding_text
    from days
    where disputed_count > 0
    union all
    select
        monitor_id,
        '' as probe_location,
        day_on,
        'missing_points' as finding_code,
        missing_count as finding_count,
        concat(
            cast(missing_count as varchar), ' expected samples did not come (', cast(missing_seconds as varchar),
            ' s): the time is unknown, ask for the samples or for why the probe was down'
        ) as finding_text
    from days
    where missing_seconds > missing_after_seconds
    union all
    select
        monitor_id,
        probe_location,
        sampled_on as day_on,
        'skewed_clock' as finding_code,
        delivery_count as finding_count,
        concat(
            'Samples arrive ', cast(median_delay_seconds as varchar), ' s after they are taken by the probe''s clock; ',
            case
                when is_corrected then 'they were moved by that much: set the clock'
                else 'nothing was moved: a slow clock and a slow way look alike'
            end
        ) as finding_text
    from clocks
    where median_delay_seconds < -{{ skew_seconds }} or median_delay_seconds > {{ skew_seconds }}
    union all
    select
        monitor_id,
        probe_location,
        sampled_on as day_on,
        'duplicates' as finding_code,
        duplicate_count as finding_count,
        concat(
            cast(duplicate_count as varchar), ' samples were delivered again; each counts once: mend the collector'
        ) as finding_text
    from clocks
    where duplicate_count > 0
),

unregistered as (
    select
        clocks.monitor_id,
        clocks.probe_location,
        clocks.sampled_on as day_on,
        'unregistered' as finding_code,
        clocks.delivery_count as finding_count,
        'Not in seeds/services/monitor_register.csv: its samples count for no service' as finding_text
    from clocks
    left join services on clocks.monitor_id = services.monitor_id
    where services.monitor_id is null
),

combined as (
    select * from findings
    union all
    select * from unregistered
),

final as (
    select
        cast(combined.monitor_id as varchar) as monitor_id,
        cast(combined.probe_location as varchar) as probe_location,
        cast(services.service_code as varchar) as service_code,
        cast(combined.day_on as date) as day_on,
        cast(combined.finding_code as varchar) as finding_code,
        cast(combined.finding_count as bigint) as finding_count,
        cast(combined.finding_text as varchar) as finding_text
    from combined
    left join services on combined.monitor_id = services.monitor_id
)

select * from final
