with requests as (
    select * from {{ ref('int_exclusion_request') }}
    where is_effective
),

services as (
    select
        service_code,
        vendor_code
    from {{ ref('service') }}
),

ticket_events as (
    select * from {{ ref('int_ticket_event') }}
),

-- services of tickets the reference data does not know: requests for everything reach them all the same
unlisted_services as (
    select distinct ticket_events.service_code
    from ticket_events
    left join services on ticket_events.service_code = services.service_code
    where
        services.service_code is null
        and ticket_events.service_code is not null
        and ticket_events.service_code <> ''
),

-- '' stands for "no service": only requests for everything reach such tickets
scoped_services as (
    select
        service_code,
        vendor_code
    from services
    union all
    select
        service_code,
        cast(null as varchar) as vendor_code
    from unlisted_services
    union all
    select
        '' as service_code,
        cast(null as varchar) as vendor_code
),

matched as (
    select
        scoped_services.service_code,
        requests.audience,
        requests.exclusion_id,
        requests.starts_at,
        requests.ends_at
    from requests
    inner join scoped_services
        on
            requests.scope_type = 'all'
            or (requests.scope_type = 'service' and requests.scope_code = scoped_services.service_code)
            or (requests.scope_type = 'vendor' and requests.scope_code = scoped_services.vendor_code)
)

select * from matched
