with corrections as (
    select * from {{ ref('stg_datadog__slo_corrections') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

ruled as (
    select
        *,
        replace(recurrence_rule, 'RRULE:', '') as rule_text,
        {{ utc_to_local('start_at', 'time_zone') }} as first_local
    from corrections
),

parted as (
    select
        slo_correction_id,
        slo_id,
        time_zone,
        start_at,
        end_at,
        duration_seconds,
        rule_text,
        first_local,
        cast(first_local as date) as first_on,
        {{ rule_part('rule_text', 'FREQ') }} as frequency,
        cast(coalesce({{ rule_part('rule_text', 'INTERVAL') }}, '1') as integer) as interval_number,
        coalesce({{ rule_weekday_number(rule_part('rule_text', 'WKST')) }}, 0) as week_start_number,
        {{ rule_list(rule_part('rule_text', 'BYDAY')) }} as weekday_list,
        {{ rule_list(rule_part('rule_text', 'BYMONTHDAY')) }} as month_day_list,
        cast({{ rule_part('rule_text', 'COUNT') }} as integer) as limit_count,
        {{ rule_part('rule_text', 'UNTIL') }} as until_text
    from ruled
),

spans as (
    select
        parted.*,
        cast(run_context.as_of_at as date) as last_on
    from parted
    cross join run_context
    where parted.rule_text is not null and parted.duration_seconds > 0
),

candidate_days as (
    select
        slo_correction_id,
        {{ date_spine('first_on', 'last_on') }} as day_on
    from spans
),

recurring as (
    select
        spans.slo_correction_id,
        spans.slo_id,
        spans.duration_seconds,
        spans.limit_count,
        spans.until_text,
        {{ local_to_utc_first(
            add_seconds('spans.first_local', '86400 * ' ~ day_count('spans.first_on', 'candidate_days.day_on')),
            'spans.time_zone'
        ) }} as starts_at,
        row_number() over (partition by spans.slo_correction_id order by candidate_days.day_on) as occurrence_number
    from spans
    inner join candidate_days on spans.slo_correction_id = candidate_days.slo_correction_id
    where {{ recurs_on('spans', 'candidate_days.day_on') }}
),

final as (
    select
        slo_correction_id,
        slo_id,
        cast(occurrence_number as integer) as occurrence_number,
        starts_at,
        {{ add_seconds('starts_at', 'duration_seconds') }} as ends_at
    from recurring
    where
        occurrence_number <= coalesce(limit_count, occurrence_number)
        and replace(replace(replace(left(cast(starts_at as varchar), 19), '-', ''), ':', ''), ' ', 'T')
        <= coalesce(replace(until_text, 'Z', ''), '9')
    union all
    select
        slo_correction_id,
        slo_id,
        1 as occurrence_number,
        start_at as starts_at,
        end_at as ends_at
    from parted
    where rule_text is null and end_at > start_at
)

select * from final
