-- Every day any period covers, with the slice of time it lies in: slices are cut at month starts and where a freeze
-- that takes days out of a measurement begins or ends, so that whole slices are in or out.
with reporting_period as (
    select * from {{ ref('int_reporting_period') }}
),

metric_freeze as (
    select * from {{ ref('int_metric_freeze') }}
    where is_effective and freeze_policy = 'exclude'
),

span as (
    select
        min(period_start_on) as first_on,
        {{ add_days('max(period_end_on)', -1) }} as last_on
    from reporting_period
),

day_spine as (
    select {{ date_spine('first_on', 'last_on') }} as day_on
    from span
),

cut as (
    select {{ month_start('day_on') }} as cut_on
    from day_spine
    union all
    select frozen_from_on as cut_on
    from metric_freeze
    union all
    select {{ add_days('frozen_to_on', 1) }} as cut_on
    from metric_freeze
),

slice as (
    select
        cut_on as slice_from_on,
        {{ add_days('lead(cut_on) over (order by cut_on)', -1) }} as slice_to_on
    from (select distinct cut_on from cut) as distinct_cut
),

final as (
    select
        day_spine.day_on,
        slice.slice_from_on,
        {{ month_start('day_spine.day_on') }} as month_on
    from day_spine
    inner join slice
        on
            day_spine.day_on >= slice.slice_from_on
            and (slice.slice_to_on is null or day_spine.day_on <= slice.slice_to_on)
)

select * from final
