with evaluations as (
    select * from {{ ref('int_slo_evaluation') }}
),

definitions as (
    select * from {{ ref('int_slo_definition') }}
),

readings as (
    select * from {{ ref('fct_slo_reading') }}
),

measured as (
    select
        evaluations.*,
        definitions.service_code,
        definitions.counted_unit,
        {{ integer_units('1 - definitions.target_share', 6) }} as budget_millionths,
        now_reading.adjusted_total_count - long_reading.adjusted_total_count as long_total_count,
        (now_reading.adjusted_total_count - now_reading.adjusted_good_count)
        - (long_reading.adjusted_total_count - long_reading.adjusted_good_count) as long_bad_count,
        now_reading.adjusted_total_count - short_reading.adjusted_total_count as short_total_count,
        (now_reading.adjusted_total_count - now_reading.adjusted_good_count)
        - (short_reading.adjusted_total_count - short_reading.adjusted_good_count) as short_bad_count,
        now_reading.total_count - long_reading.total_count as raw_long_total_count,
        (now_reading.total_count - now_reading.good_count)
        - (long_reading.total_count - long_reading.good_count) as raw_long_bad_count,
        now_reading.total_count - short_reading.total_count as raw_short_total_count,
        (now_reading.total_count - now_reading.good_count)
        - (short_reading.total_count - short_reading.good_count) as raw_short_bad_count
    from evaluations
    inner join definitions
        on evaluations.slo_code = definitions.slo_code and evaluations.slo_version = definitions.slo_version
    inner join readings as now_reading
        on
            evaluations.slo_code = now_reading.slo_code
            and evaluations.slo_version = now_reading.slo_version
            and evaluations.evaluation_at = now_reading.reading_at
    inner join readings as long_reading
        on
            evaluations.slo_code = long_reading.slo_code
            and evaluations.slo_version = long_reading.slo_version
            and evaluations.long_from_at = long_reading.reading_at
    inner join readings as short_reading
        on
            evaluations.slo_code = short_reading.slo_code
            and evaluations.slo_version = short_reading.slo_version
            and evaluations.short_from_at = short_reading.reading_at
),

-- the threshold as a fraction of whole numbers, so that "exceeds" is exact
thresholds as (
    select
        *,
        case
            when threshold_factor is not null then {{ integer_units('threshold_factor', 6) }}
            else {{ integer_units('budget_share', 6) }} * period_seconds
        end as threshold_numerator,
        case
            when threshold_factor is not null then {{ exact_integer('1000000') }}
            else {{ exact_integer('1000000') }} * long_window_seconds
        end as threshold_denominator,
        case
            when counted_unit = 'slice_millionth' then {{ int_div('long_total_count', '1000000') }}
            else long_total_count
        end as event_count
    from measured
),

judged as (
    select
        *,
        case
            when event_count < minimum_event_count or long_total_count = 0 or short_total_count = 0
                then 'insufficient_data'
            when
                {{ exact_integer('long_bad_count') }} * 1000000 * threshold_denominator
                > {{ exact_integer('long_total_count') }} * budget_millionths * threshold_numerator
                and {{ exact_integer('short_bad_count') }} * 1000000 * threshold_denominator
                > {{ exact_integer('short_total_count') }} * budget_millionths * threshold_numerator
                then 'alert'
            else 'ok'
        end as burn_status
    from thresholds
),

final as (
    select
        cast(slo_code as varchar) as slo_code,
        cast(slo_version as integer) as slo_version,
        cast(service_code as varchar) as service_code,
        cast(alert_policy_code as varchar) as alert_policy_code,
        cast(evaluation_at as timestamp) as evaluation_at,
        cast(severity as varchar) as severity,
        cast(notification_target as varchar) as notification_target,
        cast(long_window_seconds as bigint) as long_window_seconds,
        cast(short_window_seconds as bigint) as short_window_seconds,
        cast(period_seconds as bigint) as period_seconds,
        cast(budget_share as decimal(18, 6)) as budget_share,
        {{ round_half_up_ratio('threshold_numerator', 'threshold_denominator', 6) }} as threshold_factor,
        cast(counted_unit as varchar) as counted_unit,
        cast(long_total_count as bigint) as long_total_count,
        cast(long_bad_count as bigint) as long_bad_count,
        cast(short_total_count as bigint) as short_total_count,
        cast(short_bad_count as bigint) as short_bad_count,
        {{ round_half_up_ratio('1000000 * long_bad_count', 'budget_millionths * long_total_count', 6) }}
            as long_burn_factor,
        {{ round_half_up_ratio('1000000 * short_bad_count', 'budget_millionths * short_total_count', 6) }}
            as short_burn_factor,
        {{ round_half_up_ratio('1000000 * raw_long_bad_count', 'budget_millionths * raw_long_total_count', 6) }}
            as raw_long_burn_factor,
        {{ round_half_up_ratio('1000000 * raw_short_bad_count', 'budget_millionths * raw_short_total_count', 6) }}
            as raw_short_burn_factor,
        cast(event_count as bigint) as event_count,
        cast(minimum_event_count as bigint) as minimum_event_count,
        cast(burn_status as varchar) as burn_status,
        cast(burn_status = 'alert' as boolean) as is_alerting,
        cast(
            burn_status = 'alert'
            and coalesce(
                lag(burn_status) over (
                    partition by slo_code, alert_policy_code order by evaluation_at
                ) <> 'alert', true
            ) as boolean
        ) as is_new_alert
    from judged
)

select * from final
