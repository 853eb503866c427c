with requirements as (
    select * from {{ ref('monitoring_requirement') }}
),

register as (
    select * from {{ ref('monitor_register') }}
    where is_required
),

buckets as (
    select * from {{ ref('int_monitor_bucket') }}
    where is_required
),

hours as (
    select * from {{ ref('int_monitor_hour') }}
    where is_required
),

transition_intervals as (
    select * from {{ ref('int_monitor_interval') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

required as (
    select
        requirements.service_code,
        requirements.sample_kind,
        requirements.required_from,
        least(coalesce(requirements.required_to, run_context.as_of_at), run_context.as_of_at) as required_to
    from requirements
    cross join run_context
    where requirements.required_from < run_context.as_of_at
),

required_days as (
    select
        *,
        {{ date_spine('cast(required_from as date)', 'cast(required_to as date)') }} as day_on
    from required
),

months as (
    select
        *,
        day_on as period_month,
        greatest(cast(day_on as timestamp), required_from) as from_at,
        least(cast({{ add_months('day_on', 1) }} as timestamp), required_to) as to_at
    from (
        select distinct
            service_code,
            sample_kind,
            required_from,
            required_to,
            cast(date_trunc('month', day_on) as date) as day_on
        from required_days
    ) as distinct_months
),

known as (
    select
        service_code,
        sample_kind,
        bucket_at,
        max(up_seconds + down_seconds + unknown_seconds) as monitored_seconds,
        max(up_seconds + down_seconds) as covered_seconds
    from buckets
    group by service_code, sample_kind, bucket_at
),

covered as (
    select
        months.service_code,
        months.sample_kind,
        months.period_month,
        sum(known.monitored_seconds) as monitored_seconds,
        sum(known.covered_seconds) as covered_seconds
    from months
    inner join known
        on
            months.service_code = known.service_code
            and months.sample_kind = known.sample_kind
            and known.bucket_at >= months.from_at
            and known.bucket_at < months.to_at
    group by months.service_code, months.sample_kind, months.period_month
),

gaps as (
    select
        service_code,
        sample_kind,
        cast(date_trunc('month', hour_at) as date) as period_month,
        sum(gap_count) as gap_count
    from hours
    group by service_code, sample_kind, cast(date_trunc('month', hour_at) as date)
),

first_monitors as (
    select
        service_code,
        sample_kind,
        count(distinct monitor_id) as monitor_count,
        min(effective_from) as first_monitored_at
    from register
    group by service_code, sample_kind
),

transition_monitors as (
    select
        service_code,
        count(distinct monitor_id) as transition_monitor_count
    from transition_intervals
    group by service_code
),

joined as (
    select
        months.service_code,
        months.sample_kind,
        months.period_month,
        months.required_from,
        {{ seconds_between('months.from_at', 'months.to_at') }} as required_seconds,
        coalesce(covered.monitored_seconds, 0) as monitored_seconds,
        coalesce(covered.covered_seconds, 0) as covered_seconds,
        coalesce(gaps.gap_count, 0) as gap_count,
        coalesce(first_monitors.monitor_count, 0) as monitor_count,
        coalesce(transition_monitors.transition_monitor_count, 0) as transition_monitor_count,
        first_monitors.first_monitored_at
    from months
    left join covered
        on
            months.service_code = covered.service_code
            and months.sample_kind = covered.sample_kind
            and months.period_month = covered.period_month
    left join gaps
        on
            months.service_code = gaps.service_code
            and months.sample_kind = gaps.sample_kind
            and months.period_month = gaps.period_month
    left join first_monitors
        on months.service_code = first_monitors.service_code and months.sample_kind = first_monitors.sample_kind
    left join transition_monitors on months.service_code = transition_monitors.service_code
    where months.from_at < months.to_at
),

final as (
    select
        cast(service_code as varchar) as service_code,
        cast(sample_kind as varchar) as sample_kind,
        cast(period_month as date) as period_month,
        cast(required_from as timestamp) as went_live_at,
        cast(first_monitored_at as timestamp) as first_monitored_at,
        coalesce(first_monitored_at <= required_from, false) as is_monitored_from_go_live,
        monitored_seconds = 0 as is_blind_spot,
        cast(monitor_count as bigint) as monitor_count,
        cast(transition_monitor_count as bigint) as transition_monitor_count,
        cast(required_seconds as bigint) as required_seconds,
        cast(covered_seconds as bigint) as covered_seconds,
        cast(monitored_seconds - covered_seconds as bigint) as gap_seconds,
        cast(required_seconds - monitored_seconds as bigint) as unmonitored_seconds,
        cast(gap_count as bigint) as gap_count,
        {{ round_half_up_ratio('covered_seconds', 'required_seconds', 6) }} as coverage_share
    from joined
)

select * from final
