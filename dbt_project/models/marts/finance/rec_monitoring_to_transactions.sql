-- What monitors say of a service against what its users' transactions say: per source of transactions and UTC day,
-- bucket by bucket, over the time both are known. difference_share = transactions less monitoring.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

monitor_interval as (
    select * from {{ ref('int_monitor_interval') }}
    where monitor_state in ('up', 'down')
),

monitor_bucket as (
    select * from {{ ref('int_monitor_bucket') }}
    where sample_kind in ('log_scraped', 'real_user')
),

comparison_tolerance as (
    select * from {{ ref('comparison_tolerance') }}
),

transaction_bucket as (
    select
        monitor_id,
        service_code,
        sample_kind,
        cast(bucket_at as date) as day_on,
        bucket_at,
        {{ add_seconds('bucket_at', 300) }} as bucket_end_at,
        good_count,
        bad_count,
        up_seconds,
        down_seconds
    from monitor_bucket
),

-- each monitor's part of a bucket; the one that was down longest speaks for the service
watched as (
    select
        transaction_bucket.monitor_id,
        transaction_bucket.bucket_at,
        monitor_interval.monitor_id as watching_monitor_id,
        sum({{ seconds_between(
            'greatest(monitor_interval.from_at, transaction_bucket.bucket_at)',
            'least(monitor_interval.to_at, transaction_bucket.bucket_end_at)'
        ) }}) as known_seconds,
        sum(
            case when monitor_interval.monitor_state = 'down' then {{ seconds_between(
                'greatest(monitor_interval.from_at, transaction_bucket.bucket_at)',
                'least(monitor_interval.to_at, transaction_bucket.bucket_end_at)'
            ) }} else 0 end
        ) as down_seconds
    from transaction_bucket
    inner join monitor_interval
        on
            transaction_bucket.service_code = monitor_interval.service_code
            and monitor_interval.from_at < transaction_bucket.bucket_end_at
            and monitor_interval.to_at > transaction_bucket.bucket_at
    where transaction_bucket.up_seconds + transaction_bucket.down_seconds > 0
    group by transaction_bucket.monitor_id, transaction_bucket.bucket_at, monitor_interval.monitor_id
),

service_watched as (
    select
        monitor_id,
        bucket_at,
        max(known_seconds) as known_seconds,
        max(down_seconds) as down_seconds
    from watched
    group by monitor_id, bucket_at
),

compared_bucket as (
    select
        transaction_bucket.monitor_id,
        transaction_bucket.service_code,
        transaction_bucket.sample_kind,
        transaction_bucket.day_on,
        transaction_bucket.good_count,
        transaction_bucket.bad_count,
        transaction_bucket.up_seconds + transaction_bucket.down_seconds as transaction_seconds,
        transaction_bucket.down_seconds as all_down_seconds,
        coalesce(service_watched.known_seconds, 0) > 0
        and transaction_bucket.up_seconds + transaction_bucket.down_seconds > 0 as is_compared,
        transaction_bucket.down_seconds as transaction_down_seconds,
        least(
            coalesce(service_watched.down_seconds, 0), transaction_bucket.up_seconds + transaction_bucket.down_seconds
        ) as monitor_down_seconds
    from transaction_bucket
    left join service_watched
        on
            transaction_bucket.monitor_id = service_watched.monitor_id
            and transaction_bucket.bucket_at = service_watched.bucket_at
),

day_total as (
    select
        monitor_id,
        service_code,
        sample_kind,
        day_on,
        sum(good_count + bad_count) as transaction_count,
        sum(bad_count) as bad_count,
        sum(transaction_seconds) as transaction_seconds,
        sum(all_down_seconds) as all_down_seconds,
        sum(case when is_compared then transaction_seconds else 0 end) as compared_seconds,
        sum(case when is_compared then transaction_down_seconds else 0 end) as transaction_down_seconds,
        sum(case when is_compared then monitor_down_seconds else 0 end) as monitor_down_seconds,
        sum(case when is_compared then greatest(0, transaction_down_seconds - monitor_down_seconds) else 0 end)
            as missed_down_seconds,
        sum(case when is_compared then greatest(0, monitor_down_seconds - transaction_down_seconds) else 0 end)
            as unconfirmed_down_seconds
    from compared_bucket
    group by monitor_id, service_code, sample_kind, day_on
),

shared as (
    select
        day_total.*,
        run_context.as_of_at,
        {{ add_days('day_total.day_on', 1) }} as day_end_on,
        coalesce(comparison_tolerance.tolerance_share, 0) as tolerance_share,
        coalesce(comparison_tolerance.minimum_count, 1) as minimum_count,
        {{ round_half_up_ratio(
            'day_total.compared_seconds - day_total.monitor_down_seconds', 'day_total.compared_seconds', 6
        ) }} as monitor_share,
        {{ round_half_up_ratio(
            'day_total.compared_seconds - day_total.transaction_down_seconds', 'day_total.compared_seconds', 6
        ) }} as transaction_share,
        {{ round_half_up_ratio(
            'day_total.missed_down_seconds + day_total.unconfirmed_down_seconds', 'day_total.compared_seconds', 6
        ) }} as disagreement_share
    from day_total
    cross join run_context
    left join comparison_tolerance
        on
            comparison_tolerance.comparison_code = 'monitoring_to_' || day_total.sample_kind
            and day_total.day_on >= comparison_tolerance.effective_from
            and (comparison_tolerance.effective_to is null or day_total.day_on <= comparison_tolerance.effective_to)
),

judged as (
    select
        *,
        transaction_share - monitor_share as difference_share,
        case
            when cast(day_end_on as timestamp) > as_of_at then 'timing'
            when transaction_count < minimum_count or transaction_seconds = 0 then 'missing_right'
            when compared_seconds = 0 then 'missing_left'
            -- an outage nobody saw and one nobody felt do not make up for each other
            when disagreement_share > tolerance_share then 'amount_differs'
            else 'matched'
        end as status
    from shared
),

explained as (
    select
        *,
        'monitoring ' || coalesce(cast(monitor_share as varchar), 'nothing') || ', transactions '
        || coalesce(cast(transaction_share as varchar), 'nothing') || ' over '
        || cast(compared_seconds as varchar) || ' s; ' || cast(bad_count as varchar) || ' of '
        || cast(transaction_count as varchar) || ' transactions bad' as figures
    from judged
),

final as (
    select
        cast({{ md5_of(['monitor_id', 'day_on']) }} as varchar) as rec_key,
        cast(service_code as varchar) as service_code,
        cast(monitor_id as varchar) as transaction_monitor_id,
        cast(sample_kind as varchar) as sample_kind,
        cast(day_on as date) as day_on,
        cast(transaction_count as bigint) as transaction_count,
        cast(bad_count as bigint) as bad_transaction_count,
        cast(transaction_seconds as bigint) as transaction_seconds,
        cast(all_down_seconds as bigint) as all_down_seconds,
        cast(compared_seconds as bigint) as compared_seconds,
        cast(monitor_down_seconds as bigint) as monitor_down_seconds,
        cast(transaction_down_seconds as bigint) as transaction_down_seconds,
        cast(missed_down_seconds as bigint) as missed_down_seconds,
        cast(unconfirmed_down_seconds as bigint) as unconfirmed_down_seconds,
        cast(monitor_share as decimal(18, 6)) as monitor_share,
        cast(transaction_share as decimal(18, 6)) as transaction_share,
        cast(difference_share as decimal(18, 6)) as difference_share,
        cast(disagreement_share as decimal(18, 6)) as disagreement_share,
        cast(tolerance_share as decimal(18, 6)) as tolerance_share,
        cast(status as varchar) as status,
        cast(
            case status when 'matched' then 0 else greatest(0, {{ day_count('day_end_on', 'as_of_at') }}) end as integer
        ) as age_days,
        cast(
            case status
                when 'matched' then 'Agrees: '
                when 'timing' then 'The day is not over: '
                when 'missing_right'
                    then 'Too few transactions to judge by (at least ' || cast(minimum_count as varchar) || '): '
                when 'missing_left' then 'No monitor of the service knew anything at that time: '
                when 'amount_differs'
                    then
                        'Monitoring missed ' || cast(missed_down_seconds as varchar)
                        || ' s that users felt, and counts ' || cast(unconfirmed_down_seconds as varchar)
                        || ' s that they did not: '
            end || figures || '.' as varchar
        ) as explanation
    from explained
)

select * from final
