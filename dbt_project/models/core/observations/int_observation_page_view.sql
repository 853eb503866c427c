-- Page views as the client measured them, a row per service, page and day (UTC): single views are too many to keep.
with views as (
    select * from {{ ref('stg_datadog__rum_events') }}
),

limits as (
    select * from {{ ref('page_view_limit') }}
),

services as (
    select * from {{ ref('service') }}
),

vendor_families as (
    select * from {{ ref('int_vendor_family') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

judged as (
    select
        views.service_code,
        views.view_name,
        date_trunc('day', views.viewed_at) as day_at,
        views.response_ms,
        views.error_count,
        limits.limit_milliseconds_count,
        views.batch_id
    from views
    cross join run_context
    left join limits
        on
            views.service_code = limits.service_code
            and cast(views.viewed_at as date) >= limits.effective_from
            and cast(views.viewed_at as date) <= coalesce(limits.effective_to, date '9999-12-31')
    where views.viewed_at <= run_context.as_of_at
),

daily as (
    select
        service_code,
        view_name,
        day_at,
        count(*) as view_count,
        count(response_ms) as timed_view_count,
        sum(coalesce(response_ms, 0)) as response_milliseconds,
        sum(case when response_ms is not null and limit_milliseconds_count is not null then 1 else 0 end)
            as limited_view_count,
        sum(case when response_ms > limit_milliseconds_count then 1 else 0 end) as slow_count,
        sum(error_count) as error_count,
        sum(case when error_count > 0 then 1 else 0 end) as failed_view_count,
        max(batch_id) as batch_id
    from judged
    group by service_code, view_name, day_at
),

final as (
    select
        {{ md5_of(["'page_view'", 'daily.service_code', 'daily.view_name', 'daily.day_at']) }} as observation_key,
        daily.day_at as observed_at,
        cast(null as varchar) as employee_number,
        services.owner_team_code as team_code,
        daily.service_code,
        cast(null as varchar) as business_unit_code,
        vendor_families.primary_vendor_code as vendor_code,
        cast(null as varchar) as slt_code,
        cast(null as varchar) as priority,
        cast(null as varchar) as channel,
        daily.view_name as category,
        cast(null as varchar) as risk_code,
        cast(null as varchar) as complexity_code,
        cast(null as varchar) as question_code,
        cast(daily.view_count as bigint) as view_count,
        cast(daily.timed_view_count as bigint) as timed_view_count,
        cast(daily.response_milliseconds as bigint) as response_milliseconds,
        cast(daily.limited_view_count as bigint) as limited_view_count,
        cast(daily.slow_count as bigint) as slow_count,
        cast(daily.error_count as bigint) as error_count,
        cast(daily.failed_view_count as bigint) as failed_view_count,
        daily.batch_id
    from daily
    left join services on daily.service_code = services.service_code
    left join vendor_families on services.vendor_code = vendor_families.vendor_code
)

select * from final
