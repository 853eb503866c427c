with buckets as (
    select * from {{ ref('int_slo_event_bucket') }}
),

definitions as (
    select * from {{ ref('int_slo_definition') }}
    where is_effective and indicator = 'ticket_attainment'
),

windows as (
    select * from {{ ref('int_slo_window') }}
),

evaluations as (
    select * from {{ ref('int_slo_evaluation') }}
),

tickets as (
    select * from {{ ref('fct_ticket_slt') }}
    where slt_status in ('met', 'within_tolerance', 'breached')
),

-- An exclusion works on a ticket through its clock. Where it alone turned a breach into a result in time, the
-- objective's effect says what becomes of the ticket: it leaves the count, or it counts as good.
ticket_buckets as (
    select
        definitions.slo_code,
        definitions.slo_version,
        {{ bucket_start('tickets.stop_at', slo_bucket_seconds()) }} as bucket_at,
        count(*) as total_count,
        sum(case when tickets.is_breached_raw then 0 else 1 end) as good_count,
        sum(case when tickets.is_breached_raw and not tickets.is_breached_adjusted then 1 else 0 end)
            as excluded_count,
        0 as unknown_count,
        sum(
            case
                when
                    definitions.exclusion_effect = 'drop_denominator'
                    and tickets.is_breached_raw and not tickets.is_breached_adjusted
                    then 0
                else 1
            end
        ) as adjusted_total_count,
        sum(
            case
                when
                    definitions.exclusion_effect = 'drop_denominator'
                    and tickets.is_breached_raw and not tickets.is_breached_adjusted
                    then 0
                when tickets.is_breached_adjusted and not tickets.is_forgiven then 0
                else 1
            end
        ) as adjusted_good_count
    from tickets
    inner join definitions
        on
            tickets.slt_code = definitions.slt_code
            and (definitions.service_code is null or tickets.service_code = definitions.service_code)
    group by all
),

-- instants at which somebody needs to know the running totals; a repeated one is harmless
marks as (
    select
        slo_code,
        slo_version,
        window_start_at as reading_at
    from windows
    union all
    select
        slo_code,
        slo_version,
        measured_to_at as reading_at
    from windows
    union all
    select
        slo_code,
        slo_version,
        evaluation_at as reading_at
    from evaluations
    union all
    select
        slo_code,
        slo_version,
        long_from_at as reading_at
    from evaluations
    union all
    select
        slo_code,
        slo_version,
        short_from_at as reading_at
    from evaluations
),

steps as (
    select
        slo_code,
        slo_version,
        bucket_at as reading_at,
        false as is_mark,
        total_count,
        good_count,
        excluded_count,
        unknown_count,
        adjusted_total_count,
        adjusted_good_count
    from buckets
    union all
    select
        slo_code,
        slo_version,
        bucket_at as reading_at,
        false as is_mark,
        total_count,
        good_count,
        excluded_count,
        unknown_count,
        adjusted_total_count,
        adjusted_good_count
    from ticket_buckets
    union all
    select distinct
        slo_code,
        slo_version,
        reading_at,
        true as is_mark,
        0 as total_count,
        0 as good_count,
        0 as excluded_count,
        0 as unknown_count,
        0 as adjusted_total_count,
        0 as adjusted_good_count
    from marks
),

-- a mark reads what began before it: in descending order a bucket stands before the mark of its own instant
assigned as (
    select
        *,
        min(case when is_mark then reading_at end) over (
            partition by slo_code, slo_version
            order by reading_at desc, is_mark asc
            rows between unbounded preceding and current row
        ) as next_mark_at
    from steps
),

grouped as (
    select
        slo_code,
        slo_version,
        next_mark_at as reading_at,
        sum(total_count) as total_count,
        sum(good_count) as good_count,
        sum(excluded_count) as excluded_count,
        sum(unknown_count) as unknown_count,
        sum(adjusted_total_count) as adjusted_total_count,
        sum(adjusted_good_count) as adjusted_good_count
    from assigned
    where next_mark_at is not null
    group by slo_code, slo_version, next_mark_at
),

totalled as (
    select
        slo_code,
        slo_version,
        reading_at,
        sum(total_count) over sweep as total_count,
        sum(good_count) over sweep as good_count,
        sum(excluded_count) over sweep as excluded_count,
        sum(unknown_count) over sweep as unknown_count,
        sum(adjusted_total_count) over sweep as adjusted_total_count,
        sum(adjusted_good_count) over sweep as adjusted_good_count
    from grouped
    window sweep as (
        partition by slo_code, slo_version
        order by reading_at
        rows between unbounded preceding and current row
    )
),

final as (
    select
        cast(slo_code as varchar) as slo_code,
        cast(slo_version as integer) as slo_version,
        cast(reading_at as timestamp) as reading_at,
        cast(total_count as bigint) as total_count,
        cast(good_count as bigint) as good_count,
        cast(excluded_count as bigint) as excluded_count,
        cast(unknown_count as bigint) as unknown_count,
        cast(adjusted_total_count as bigint) as adjusted_total_count,
        cast(adjusted_good_count as bigint) as adjusted_good_count
    from totalled
)

select * from final
