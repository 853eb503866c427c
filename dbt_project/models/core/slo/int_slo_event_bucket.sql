-- Grain of a row: a slice, or for occurrences a bucket of 300 seconds back to the earliest burn window and of 900
-- before that, where only the local midnights of windows are asked for (no zone's offset is finer than 15 minutes).
with definitions as (
    select
        *,
        row_number() over (order by slo_code, slo_version) as definition_number
    from {{ ref('int_slo_definition') }}
    where is_effective and indicator in ('monitor_time', 'sample_time', 'monitor_samples')
),

monitor_intervals as (
    select * from {{ ref('int_monitor_interval') }}
),

pieces as (
    select * from {{ ref('int_availability_piece') }}
),

monitor_buckets as (
    select * from {{ ref('int_monitor_bucket') }}
    where is_required
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

evaluations as (
    select * from {{ ref('int_slo_evaluation') }}
),

burn_span as (
    select min(long_from_at) as first_at
    from evaluations
),

bounded as (
    select
        definitions.definition_number,
        definitions.service_code,
        definitions.indicator,
        definitions.sample_kind,
        definitions.time_slice_seconds,
        -- a slice is judged when it is over
        {{ epoch_seconds('run_context.as_of_at') }}
        - coalesce(mod({{ epoch_seconds('run_context.as_of_at') }}, definitions.time_slice_seconds), 0) as before_s,
        {{ int_div(epoch_seconds('coalesce(burn_span.first_at, run_context.as_of_at)'), '900') }} * 900
            as burn_first_s
    from definitions
    cross join run_context
    cross join burn_span
),

-- what a monitor said, cut where downtimes and exclusions begin and end
stated as (
    select
        monitor_intervals.service_code,
        monitor_intervals.monitor_state,
        pieces.is_maintenance or pieces.is_excluded as is_excluded,
        {{ epoch_seconds('greatest(monitor_intervals.from_at, pieces.from_at)') }} as from_s,
        {{ epoch_seconds('least(monitor_intervals.to_at, pieces.to_at)') }} as to_s
    from monitor_intervals
    inner join pieces
        on
            monitor_intervals.service_code = pieces.service_code
            and monitor_intervals.to_at > pieces.from_at
            and monitor_intervals.from_at < pieces.to_at
),

-- the same before and within the reach of the burn rates, each with the step its readings need
stretches as (
    select
        bounded.definition_number,
        stated.monitor_state,
        stated.is_excluded,
        coalesce(bounded.time_slice_seconds, 900) as step_seconds,
        stated.from_s,
        least(stated.to_s, bounded.before_s, bounded.burn_first_s) as to_s
    from stated
    inner join bounded on stated.service_code = bounded.service_code and bounded.indicator = 'monitor_time'
    where stated.from_s < least(stated.to_s, bounded.before_s, bounded.burn_first_s)
    union all
    select
        bounded.definition_number,
        stated.monitor_state,
        stated.is_excluded,
        coalesce(bounded.time_slice_seconds, {{ slo_bucket_seconds() }}) as step_seconds,
        greatest(stated.from_s, bounded.burn_first_s) as from_s,
        least(stated.to_s, bounded.before_s) as to_s
    from stated
    inner join bounded on stated.service_code = bounded.service_code and bounded.indicator = 'monitor_time'
    where greatest(stated.from_s, bounded.burn_first_s) < least(stated.to_s, bounded.before_s)
),

spread as (
    select
        *,
        {{ number_spine(int_div('from_s', 'step_seconds'), int_div('to_s - 1', 'step_seconds')) }} * step_seconds
            as bucket_s
    from stretches
),

timed as (
    select
        definition_number,
        bucket_s,
        monitor_state,
        is_excluded,
        least(to_s, bucket_s + step_seconds) - greatest(from_s, bucket_s) as seconds
    from spread
),

-- samples carry no exclusion of their own: they are excluded when their whole bucket is
sampled as (
    select
        bounded.definition_number,
        bounded.indicator,
        {{ epoch_seconds('monitor_buckets.bucket_at') }} as bucket_s,
        case
            when bounded.time_slice_seconds is not null then bounded.time_slice_seconds
            when {{ epoch_seconds('monitor_buckets.bucket_at') }} >= bounded.burn_first_s
                then {{ slo_bucket_seconds() }}
            else 900
        end as step_seconds,
        monitor_buckets.maintenance_seconds + monitor_buckets.excluded_seconds >= {{ slo_bucket_seconds() }}
            as is_excluded,
        monitor_buckets.up_seconds,
        monitor_buckets.down_seconds,
        monitor_buckets.unknown_seconds,
        monitor_buckets.excluded_up_seconds,
        monitor_buckets.excluded_down_seconds,
        monitor_buckets.expected_count,
        monitor_buckets.good_count,
        monitor_buckets.bad_count
    from monitor_buckets
    inner join bounded
        on
            monitor_buckets.service_code = bounded.service_code
            and (bounded.sample_kind is null or monitor_buckets.sample_kind = bounded.sample_kind)
    where
        bounded.indicator in ('sample_time', 'monitor_samples')
        and {{ epoch_seconds('monitor_buckets.bucket_at') }} < bounded.before_s
),

events as (
    select
        definition_number,
        bucket_s,
        case when monitor_state = 'unknown' then 0 else seconds end as event_count,
        case when monitor_state = 'up' then seconds else 0 end as good_event_count,
        case when is_excluded and monitor_state = 'up' then seconds else 0 end as excluded_good_event_count,
        case when is_excluded and monitor_state = 'down' then seconds else 0 end as excluded_bad_event_count,
        case when monitor_state = 'unknown' then seconds else 0 end as unknown_event_count
    from timed
    union all
    select
        definition_number,
        bucket_s - mod(bucket_s, step_seconds) as bucket_s,
        up_seconds + down_seconds as event_count,
        up_seconds as good_event_count,
        excluded_up_seconds as excluded_good_event_count,
        excluded_down_seconds as excluded_bad_event_count,
        unknown_seconds as unknown_event_count
    from sampled
    where indicator = 'sample_time'
    union all
    select
        definition_number,
        bucket_s - mod(bucket_s, step_seconds) as bucket_s,
        good_count + bad_count as event_count,
        good_count as good_event_count,
        case when is_excluded then good_count else 0 end as excluded_good_event_count,
        case when is_excluded then bad_count else 0 end as excluded_bad_event_count,
        greatest(expected_count - good_count - bad_count, 0) as unknown_event_count
    from sampled
    where indicator = 'monitor_samples'
),

summed as (
    select
        definition_number,
        bucket_s,
        sum(event_count) as event_count,
        sum(good_event_count) as good_event_count,
        sum(excluded_good_event_count) as excluded_good_event_count,
        sum(excluded_bad_event_count) as excluded_bad_event_count,
        sum(unknown_event_count) as unknown_event_count
    from events
    group by definition_number, bucket_s
),

measured as (
    select
        definitions.slo_code,
        definitions.slo_version,
        definitions.budgeting_method,
        definitions.exclusion_effect,
        definitions.time_slice_target_share,
        {{ from_epoch_seconds('summed.bucket_s') }} as bucket_at,
        summed.event_count,
        summed.good_event_count,
        summed.excluded_good_event_count,
        summed.excluded_bad_event_count,
        summed.unknown_event_count
    from summed
    inner join definitions on summed.definition_number = definitions.definition_number
),

adjusted as (
    select
        *,
        excluded_good_event_count + excluded_bad_event_count as excluded_event_count,
        case exclusion_effect
            when 'count_good' then event_count
            else event_count - excluded_good_event_count - excluded_bad_event_count
        end as adjusted_event_count,
        case exclusion_effect
            when 'count_good' then good_event_count + excluded_bad_event_count
            else good_event_count - excluded_good_event_count
        end as adjusted_good_event_count
    from measured
),

-- a slice nobody observed is neither good nor bad: it is in unknown_count alone
counted as (
    select
        slo_code,
        slo_version,
        bucket_at,
        case
            when budgeting_method = 'occurrences' then event_count
            when event_count = 0 then 0
            when budgeting_method = 'timeslices' then 1
            else 1000000
        end as total_count,
        case
            when budgeting_method = 'occurrences' then good_event_count
            when event_count = 0 then 0
            when budgeting_method = 'ratio_timeslices'
                then {{ round_half_up_integer('1000000 * good_event_count', 'event_count') }}
            when good_event_count >= time_slice_target_share * event_count then 1
            else 0
        end as good_count,
        case
            when budgeting_method = 'occurrences' then excluded_event_count
            when event_count = 0 or excluded_event_count < event_count then 0
            when budgeting_method = 'timeslices' then 1
            else 1000000
        end as excluded_count,
        case
            when budgeting_method = 'occurrences' then unknown_event_count
            when event_count > 0 then 0
            when budgeting_method = 'timeslices' then 1
            else 1000000
        end as unknown_count,
        case
            when budgeting_method = 'occurrences' then adjusted_event_count
            when adjusted_event_count = 0 then 0
            when budgeting_method = 'timeslices' then 1
            else 1000000
        end as adjusted_total_count,
        case
            when budgeting_method = 'occurrences' then adjusted_good_event_count
            when adjusted_event_count = 0 then 0
            when budgeting_method = 'ratio_timeslices'
                then {{ round_half_up_integer('1000000 * adjusted_good_event_count', 'adjusted_event_count') }}
            when adjusted_good_event_count >= time_slice_target_share * adjusted_event_count then 1
            else 0
        end as adjusted_good_count
    from adjusted
),

final as (
    select
        slo_code,
        slo_version,
        bucket_at,
        cast(total_count as bigint) as total_count,
        cast(good_count as bigint) as good_count,
        cast(excluded_count as bigint) as excluded_count,
        cast(unknown_count as bigint) as unknown_count,
        cast(adjusted_total_count as bigint) as adjusted_total_count,
        cast(adjusted_good_count as bigint) as adjusted_good_count
    from counted
)

select * from final
