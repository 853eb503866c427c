with intervals as (
    select * from {{ ref('int_monitor_interval') }}
),

maintenance_windows as (
    select * from {{ ref('int_maintenance_window') }}
    where exclusion_source = 'datadog_downtime' and ends_at > starts_at and service_code is not null
),

exclusion_pieces as (
    select * from {{ ref('int_exclusion_piece') }}
    where audience = 'internal'
),

availability as (
    select * from {{ ref('fct_availability') }}
),

requests as (
    select * from {{ ref('int_exclusion_request') }}
    where audience = 'internal'
),

request_texts as (
    select * from {{ ref('exclusion_request') }}
),

documents as (
    select * from {{ ref('exclusion_document') }}
    where received_at is not null
),

papers as (
    select
        exclusion_id,
        {{ string_list("document_type || ' ' || reference", "document_type, reference") }} as document_references
    from documents
    group by exclusion_id
),

-- time that maintenance covers is maintenance's; what is left is the first request's by id
windows as (
    select
        service_code,
        exclusion_id,
        starts_at as from_at,
        ends_at as to_at,
        0 as precedence_number
    from maintenance_windows
    union all
    select
        exclusion_scope_code as service_code,
        exclusion_id,
        from_at,
        to_at,
        1 as precedence_number
    from exclusion_pieces
),

bounds as (
    select
        service_code,
        from_at as bound_at
    from windows
    union
    select
        service_code,
        to_at as bound_at
    from windows
),

spans as (
    select
        service_code,
        bound_at as from_at,
        lead(bound_at) over (partition by service_code order by bound_at) as to_at
    from bounds
),

covered as (
    select
        spans.service_code,
        spans.from_at,
        spans.to_at,
        windows.exclusion_id,
        row_number() over (
            partition by spans.service_code, spans.from_at
            order by windows.precedence_number, windows.exclusion_id
        ) = 1 as is_credited
    from spans
    inner join windows
        on
            spans.service_code = windows.service_code
            and spans.from_at >= windows.from_at
            and spans.to_at <= windows.to_at
    where spans.to_at is not null
),

overlapping as (
    select
        intervals.monitor_id,
        coalesce(intervals.service_code, '') as service_code,
        intervals.monitor_state,
        covered.exclusion_id,
        covered.is_credited,
        case when covered.from_at > intervals.from_at then covered.from_at else intervals.from_at end as from_at,
        case when covered.to_at < intervals.to_at then covered.to_at else intervals.to_at end as to_at
    from intervals
    inner join covered
        on
            coalesce(intervals.service_code, '') = covered.service_code
            and intervals.to_at > covered.from_at
            and intervals.from_at < covered.to_at
),

days as (
    select
        monitor_id,
        service_code,
        monitor_state,
        exclusion_id,
        is_credited,
        from_at,
        to_at,
        {{ date_spine("date_trunc('month', from_at)", 'to_at') }} as day_on
    from overlapping
),

by_month as (
    select
        monitor_id,
        service_code,
        exclusion_id,
        is_credited,
        monitor_state,
        day_on as period_month,
        {{ seconds_between(
            'greatest(from_at, cast(day_on as timestamp))',
            'least(to_at, cast(' ~ add_months('day_on', 1) ~ ' as timestamp))'
        ) }} as overlap_seconds
    from days
    where extract(day from day_on) = 1
),

totals as (
    select
        monitor_id,
        service_code,
        exclusion_id,
        period_month,
        sum(overlap_seconds) as covered_seconds,
        sum(case when is_credited then overlap_seconds else 0 end) as removed_seconds,
        sum(case when is_credited and monitor_state = 'up' then overlap_seconds else 0 end) as removed_up_seconds,
        sum(case when is_credited and monitor_state = 'down' then overlap_seconds else 0 end)
            as removed_down_seconds
    from by_month
    where overlap_seconds > 0
    group by monitor_id, service_code, exclusion_id, period_month
),

final as (
    select
        cast(totals.exclusion_id as varchar) as exclusion_id,
        cast(requests.exclusion_source as varchar) as exclusion_source,
        cast(requests.category as varchar) as category,
        cast(requests.controllability as varchar) as controllability,
        cast(totals.monitor_id as varchar) as monitor_id,
        cast(totals.service_code as varchar) as service_code,
        cast(totals.period_month as date) as period_month,
        cast(totals.covered_seconds as bigint) as covered_seconds,
        cast(totals.removed_seconds as bigint) as removed_seconds,
        cast(totals.removed_up_seconds as bigint) as removed_up_seconds,
        cast(totals.removed_down_seconds as bigint) as removed_down_seconds,
        cast(availability.availability_raw as decimal(18, 6)) as availability_raw,
        cast(availability.availability_adjusted as decimal(18, 6)) as availability_adjusted,
        cast(request_texts.root_cause as varchar) as root_cause,
        cast(papers.document_references as varchar) as document_references,
        cast(availability.batch_id as varchar) as batch_id
    from totals
    inner join requests on totals.exclusion_id = requests.exclusion_id
    inner join availability
        on
            totals.monitor_id = availability.monitor_id
            and totals.service_code = coalesce(availability.service_code, '')
            and totals.period_month = availability.period_month
    left join request_texts on totals.exclusion_id = request_texts.exclusion_id
    left join papers on totals.exclusion_id = papers.exclusion_id
)

select * from final
