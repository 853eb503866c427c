{#- Polls more often than once a minute cost more than they tell: below it the events themselves are the answer. -#}
{%- set intervals = [60, 120, 180, 240, 300, 600, 900, 1200, 1800, 3600] -%}
with register as (
    select * from {{ ref('monitor_register') }}
),

requirements as (
    select * from {{ ref('monitoring_requirement') }}
),

buckets as (
    select * from {{ ref('int_monitor_bucket') }}
),

hours as (
    select * from {{ ref('int_monitor_hour') }}
),

monitors as (
    select
        register.monitor_id,
        register.service_code,
        register.sample_kind,
        max(register.expected_interval_seconds) as expected_interval_seconds,
        max(requirements.smallest_outage_seconds) as smallest_outage_seconds
    from register
    left join requirements
        on register.service_code = requirements.service_code and register.sample_kind = requirements.sample_kind
    group by register.monitor_id, register.service_code, register.sample_kind
),

seen as (
    select
        monitor_id,
        sum(up_seconds + down_seconds) as known_seconds,
        sum(down_seconds) as down_seconds
    from buckets
    group by monitor_id
),

changes as (
    select
        monitor_id,
        sum(state_change_count) as state_change_count
    from hours
    group by monitor_id
),

-- the next faster monitor of the same service, if there is one
finer as (
    select
        coarse.monitor_id,
        max_by(fine.monitor_id, concat(lpad(cast(fine.expected_interval_seconds as varchar), 6, '0'), fine.monitor_id))
            as finer_monitor_id
    from monitors as coarse
    inner join monitors as fine
        on
            coarse.service_code = fine.service_code
            and coarse.expected_interval_seconds > fine.expected_interval_seconds
    group by coarse.monitor_id
),

compared as (
    select
        finer.monitor_id,
        sum(coarse_buckets.up_seconds + coarse_buckets.down_seconds) as compared_seconds,
        sum(coarse_buckets.down_seconds) as coarse_down_seconds,
        sum(fine_buckets.down_seconds) as fine_down_seconds,
        sum(case when coarse_buckets.down_seconds = 0 then fine_buckets.down_seconds else 0 end) as missed_down_seconds
    from finer
    inner join buckets as coarse_buckets on finer.monitor_id = coarse_buckets.monitor_id
    inner join buckets as fine_buckets
        on
            finer.finer_monitor_id = fine_buckets.monitor_id
            and coarse_buckets.bucket_at = fine_buckets.bucket_at
    where coarse_buckets.unknown_seconds = 0 and fine_buckets.unknown_seconds = 0
    group by finer.monitor_id
),

advised as (
    select
        monitors.*,
        coalesce(seen.known_seconds, 0) as known_seconds,
        coalesce(seen.down_seconds, 0) as down_seconds,
        coalesce(changes.state_change_count, 0) as state_change_count,
        finer.finer_monitor_id,
        compared.compared_seconds,
        compared.coarse_down_seconds,
        compared.fine_down_seconds,
        compared.missed_down_seconds,
        case
            when monitors.smallest_outage_seconds < monitors.expected_interval_seconds
                then monitors.smallest_outage_seconds
            when monitors.smallest_outage_seconds is not null then monitors.expected_interval_seconds
        end as detectable_seconds,
        case
            {%- for seconds in intervals | reverse %}
            when monitors.smallest_outage_seconds >= {{ 2 * seconds }} then {{ seconds }}
            {%- endfor %}
        end as recommended_interval_seconds
    from monitors
    left join seen on monitors.monitor_id = seen.monitor_id
    left join changes on monitors.monitor_id = changes.monitor_id
    left join finer on monitors.monitor_id = finer.monitor_id
    left join compared on monitors.monitor_id = compared.monitor_id
),

final as (
    select
        cast(monitor_id as varchar) as monitor_id,
        cast(service_code as varchar) as service_code,
        cast(sample_kind as varchar) as sample_kind,
        cast(expected_interval_seconds as bigint) as expected_interval_seconds,
        cast(smallest_outage_seconds as bigint) as smallest_outage_seconds,
        {{ round_half_up_ratio('detectable_seconds', 'expected_interval_seconds', 6) }} as detection_share,
        cast(known_seconds as bigint) as known_seconds,
        cast(down_seconds as bigint) as down_seconds,
        cast(state_change_count as bigint) as state_change_count,
        cast(state_change_count * expected_interval_seconds as bigint) as error_bound_seconds,
        {{ round_half_up_ratio('state_change_count * expected_interval_seconds', 'known_seconds', 6) }}
            as error_bound_share,
        cast(finer_monitor_id as varchar) as finer_monitor_id,
        cast(compared_seconds as bigint) as compared_seconds,
        cast(coarse_down_seconds - fine_down_seconds as bigint) as measured_error_seconds,
        {{ round_half_up_ratio('(coarse_down_seconds - fine_down_seconds)', 'compared_seconds', 6) }}
            as measured_error_share,
        cast(missed_down_seconds as bigint) as missed_down_seconds,
        cast(recommended_interval_seconds as bigint) as recommended_interval_seconds,
        cast(
            case
                when smallest_outage_seconds is null then 'no_requirement'
                when recommended_interval_seconds is null then 'stream'
                when expected_interval_seconds <= recommended_interval_seconds then 'polling_fits'
                else 'poll_faster'
            end as varchar
        ) as recommendation
    from advised
)

select * from final
