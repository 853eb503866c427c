-- What a monitor saw of a service in one slice of time (a month, cut where a freeze begins or ends). `category` is the
-- monitor, so that monitors can be counted.
with monitor_interval as (
    select * from {{ ref('int_monitor_interval') }}
),

availability_piece as (
    select * from {{ ref('int_availability_piece') }}
),

metric_day as (
    select * from {{ ref('int_metric_day') }}
),

service as (
    select * from {{ ref('service') }}
),

vendor_family as (
    select * from {{ ref('int_vendor_family') }}
),

slice as (
    select
        slice_from_on,
        cast(slice_from_on as timestamp) as slice_from_at,
        cast({{ add_days('max(day_on)', 1) }} as timestamp) as slice_to_at
    from metric_day
    group by slice_from_on
),

piece as (
    select
        availability_piece.service_code,
        slice.slice_from_on,
        case
            when availability_piece.from_at > slice.slice_from_at then availability_piece.from_at
            else slice.slice_from_at
        end as from_at,
        case
            when availability_piece.to_at < slice.slice_to_at then availability_piece.to_at
            else slice.slice_to_at
        end as to_at,
        not availability_piece.is_maintenance and not availability_piece.is_excluded as is_counted
    from availability_piece
    inner join slice
        on
            availability_piece.to_at > slice.slice_from_at
            and availability_piece.from_at < slice.slice_to_at
),

overlapping as (
    select
        monitor_interval.monitor_id,
        monitor_interval.service_code,
        monitor_interval.monitor_state,
        monitor_interval.from_at,
        monitor_interval.batch_id,
        piece.slice_from_on,
        piece.is_counted,
        {{ seconds_between(
            'case when piece.from_at > monitor_interval.from_at then piece.from_at else monitor_interval.from_at end',
            'case when piece.to_at < monitor_interval.to_at then piece.to_at else monitor_interval.to_at end'
        ) }} as seconds
    from monitor_interval
    inner join piece
        on
            coalesce(monitor_interval.service_code, '') = piece.service_code
            and monitor_interval.to_at > piece.from_at
            and monitor_interval.from_at < piece.to_at
),

summed as (
    select
        monitor_id,
        service_code,
        slice_from_on,
        sum(case when monitor_state = 'up' then seconds else 0 end) as raw_up_seconds,
        sum(case when monitor_state in ('up', 'down') then seconds else 0 end) as raw_measured_seconds,
        sum(case when monitor_state = 'up' and is_counted then seconds else 0 end) as adjusted_up_seconds,
        sum(case when monitor_state in ('up', 'down') and is_counted then seconds else 0 end)
            as adjusted_measured_seconds,
        max_by(batch_id, from_at) as batch_id
    from overlapping
    group by monitor_id, service_code, slice_from_on
),

final as (
    select
        summed.monitor_id || ':' || coalesce(summed.service_code, '') || ':' || cast(summed.slice_from_on as varchar)
            as observation_key,
        cast(summed.slice_from_on as timestamp) as observed_at,
        cast(null as varchar) as employee_number,
        service.owner_team_code as team_code,
        summed.service_code,
        cast(null as varchar) as business_unit_code,
        vendor_family.primary_vendor_code as vendor_code,
        cast(null as varchar) as slt_code,
        cast(null as varchar) as priority,
        cast(null as varchar) as channel,
        summed.monitor_id as category,
        cast(null as varchar) as risk_code,
        cast(null as varchar) as complexity_code,
        cast(null as varchar) as question_code,
        cast(summed.raw_up_seconds as bigint) as raw_up_seconds,
        cast(summed.raw_measured_seconds as bigint) as raw_measured_seconds,
        cast(summed.adjusted_up_seconds as bigint) as adjusted_up_seconds,
        cast(summed.adjusted_measured_seconds as bigint) as adjusted_measured_seconds,
        summed.batch_id
    from summed
    left join service on summed.service_code = service.service_code
    left join vendor_family on service.vendor_code = vendor_family.vendor_code
)

select * from final
