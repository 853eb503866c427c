-- What each leaf of a service tree did, month by month: services by their monitors and tickets, components of
-- vendors by what the vendor reports.
with int_reporting_period as (
    select * from {{ ref('int_reporting_period') }}
    where period_grain = 'month'
),

fct_availability as (
    select * from {{ ref('fct_availability') }}
    where service_code is not null
),

fct_ticket_slt as (
    select * from {{ ref('fct_ticket_slt') }}
    where
        phase = 'resolution'
        and service_code is not null
        and slt_status in ('met', 'within_tolerance', 'breached')
),

vendor_reported_performance as (
    select * from {{ ref('int_vendor_reported_performance') }}
    where is_covered
),

service_target as (
    select * from {{ ref('service_target') }}
    where contract_code is null
),

-- monitors of one service are pooled by the second, not averaged: a monitor of a week weighs a week
availability as (
    select
        service_code,
        period_month,
        sum(up_seconds) as raw_good_count,
        sum(up_seconds + down_seconds) as raw_total_count,
        sum(adjusted_up_seconds) as adjusted_good_count,
        sum(adjusted_up_seconds + adjusted_down_seconds) as adjusted_total_count,
        sum(up_seconds + down_seconds + unknown_seconds) as watched_seconds
    from fct_availability
    group by service_code, period_month
),

attainment as (
    select
        service_code,
        {{ month_start('stop_at') }} as period_month,
        sum(case when not is_breached_raw then 1 else 0 end) as raw_good_count,
        sum(case when slt_status <> 'breached' then 1 else 0 end) as adjusted_good_count,
        count(*) as ticket_count
    from fct_ticket_slt
    group by service_code, {{ month_start('stop_at') }}
),

performance as (
    select
        service_code as component_code,
        'availability' as measure,
        period_month,
        'monitors' as performance_source,
        raw_good_count,
        raw_total_count,
        adjusted_good_count,
        adjusted_total_count,
        {{ round_half_up_ratio('raw_good_count', 'raw_total_count', 9) }} as raw_share,
        {{ round_half_up_ratio('adjusted_good_count', 'adjusted_total_count', 9) }} as adjusted_share,
        {{ round_half_up_ratio('raw_total_count', 'watched_seconds', 6) }} as coverage_share
    from availability

    union all

    select
        service_code as component_code,
        'attainment' as measure,
        period_month,
        'tickets' as performance_source,
        raw_good_count,
        ticket_count as raw_total_count,
        adjusted_good_count,
        ticket_count as adjusted_total_count,
        {{ round_half_up_ratio('raw_good_count', 'ticket_count', 9) }} as raw_share,
        {{ round_half_up_ratio('adjusted_good_count', 'ticket_count', 9) }} as adjusted_share,
        cast(1 as decimal(18, 6)) as coverage_share
    from attainment

    union all

    select
        component_code,
        measure,
        period_month,
        'vendor_report' as performance_source,
        cast(null as bigint) as raw_good_count,
        cast(null as bigint) as raw_total_count,
        cast(null as bigint) as adjusted_good_count,
        cast(null as bigint) as adjusted_total_count,
        cast(reported_share as decimal(18, 9)) as raw_share,
        cast(reported_share as decimal(18, 9)) as adjusted_share,
        cast(1 as decimal(18, 6)) as coverage_share
    from vendor_reported_performance
),

judged as (
    select
        performance.*,
        int_reporting_period.is_complete,
        performance.adjusted_share is not null
        and performance.coverage_share >= coalesce(service_target.minimum_coverage_share, 0) as is_sufficient
    from performance
    inner join int_reporting_period on performance.period_month = int_reporting_period.period_start_on
    left join service_target
        on
            performance.component_code = service_target.service_code
            and performance.measure = service_target.measure
            and performance.period_month >= service_target.effective_from
            and performance.period_month <= coalesce(service_target.effective_to, date '9999-12-31')
),

final as (
    select
        cast(component_code as varchar) as component_code,
        cast(measure as varchar) as measure,
        cast(period_month as date) as period_month,
        cast(performance_source as varchar) as performance_source,
        cast(raw_good_count as bigint) as raw_good_count,
        cast(raw_total_count as bigint) as raw_total_count,
        cast(adjusted_good_count as bigint) as adjusted_good_count,
        cast(adjusted_total_count as bigint) as adjusted_total_count,
        cast(case when is_sufficient then raw_share end as decimal(18, 9)) as raw_share,
        cast(case when is_sufficient then adjusted_share end as decimal(18, 9)) as adjusted_share,
        cast(coverage_share as decimal(18, 6)) as coverage_share,
        cast(
            case
                when not is_sufficient then 'insufficient_data'
                when not is_complete then 'provisional'
                else 'ok'
            end as varchar
        ) as performance_status
    from judged
)

select * from final
