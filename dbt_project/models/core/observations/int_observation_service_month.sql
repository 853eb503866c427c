-- How much a service was exposed in a month, and the incidents opened of it.
with months as (
    select * from {{ ref('int_reporting_period') }}
    where period_grain = 'month' and is_complete
),

exposures as (
    select * from {{ ref('service_exposure') }}
),

courses as (
    select * from {{ ref('int_ticket_course') }}
    where
        observation_status in ('observed', 'open')
        and source_system in ('servicenow', 'servicenow_event_log')
        and service_code is not null
),

services as (
    select * from {{ ref('service') }}
),

vendor_families as (
    select * from {{ ref('int_vendor_family') }}
),

covered as (
    select
        months.period_start_on,
        months.period_end_on,
        exposures.service_code,
        exposures.exposure_count,
        exposures.maturity_code,
        greatest(months.period_start_on, exposures.effective_from) as from_on,
        least(
            months.period_end_on, {{ add_days("coalesce(exposures.effective_to, date '9999-12-30')", 1) }}
        ) as to_on
    from months
    inner join exposures
        on
            months.period_end_on > exposures.effective_from
            and months.period_start_on <= coalesce(exposures.effective_to, date '9999-12-31')
),

-- the maturity a month began with: what becomes mature within it counts from the next one
exposed as (
    select
        service_code,
        period_start_on,
        min_by(maturity_code, from_on) as maturity_code,
        sum(exposure_count * {{ day_count('from_on', 'to_on') }}) as exposure_user_days,
        sum({{ day_count('from_on', 'to_on') }}) as exposed_day_count
    from covered
    group by service_code, period_start_on
),

occurred as (
    select
        courses.service_code,
        months.period_start_on,
        count(*) as incident_count,
        sum(case when courses.priority <= 2 then 1 else 0 end) as major_incident_count,
        max(courses.batch_id) as batch_id
    from courses
    inner join months
        on
            courses.opened_at >= cast(months.period_start_on as timestamp)
            and courses.opened_at < cast(months.period_end_on as timestamp)
    group by courses.service_code, months.period_start_on
),

cells as (
    select
        service_code,
        period_start_on
    from exposed
    union
    select
        service_code,
        period_start_on
    from occurred
),

final as (
    select
        'service_month:' || cells.service_code || ':' || cast(cells.period_start_on as varchar) as observation_key,
        cast(cells.period_start_on as timestamp) as observed_at,
        cast(null as varchar) as employee_number,
        services.owner_team_code as team_code,
        cells.service_code,
        cast(null as varchar) as business_unit_code,
        vendor_families.primary_vendor_code as vendor_code,
        cast(null as varchar) as slt_code,
        cast(null as varchar) as priority,
        cast(null as varchar) as channel,
        exposed.maturity_code as category,
        cast(null as varchar) as risk_code,
        cast(null as varchar) as complexity_code,
        cast(null as varchar) as question_code,
        cast(coalesce(occurred.incident_count, 0) as bigint) as incident_count,
        cast(coalesce(occurred.major_incident_count, 0) as bigint) as major_incident_count,
        -- incidents of a month nobody said the users of are in no rate
        cast(case when exposed.service_code is null then 0 else coalesce(occurred.incident_count, 0) end as bigint)
            as exposed_incident_count,
        cast(coalesce(exposed.exposure_user_days, 0) as bigint) as exposure_user_days,
        cast(coalesce(exposed.exposed_day_count, 0) as bigint) as exposed_day_count,
        occurred.batch_id
    from cells
    left join exposed
        on cells.service_code = exposed.service_code and cells.period_start_on = exposed.period_start_on
    left join occurred
        on cells.service_code = occurred.service_code and cells.period_start_on = occurred.period_start_on
    left join services on cells.service_code = services.service_code
    left join vendor_families on services.vendor_code = vendor_families.vendor_code
)

select * from final
