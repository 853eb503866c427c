with requests as (
    select * from {{ ref('int_exclusion_request') }}
),

occurrences as (
    select * from {{ ref('int_exclusion_occurrence') }}
    where is_usable
),

policies as (
    select * from {{ ref('exclusion_policy') }}
    where is_counted
),

services as (
    select
        service_code,
        vendor_code
    from {{ ref('service') }}
),

items as (
    select
        configuration_item_code,
        vendor_code
    from {{ ref('configuration_item') }}
),

item_refusals as (
    select * from {{ ref('int_exclusion_item_refusal') }}
),

ticket_events as (
    select * from {{ ref('int_ticket_event') }}
),

-- what tickets bring beside the listed services: services the reference data does not know, which requests for
-- everything reach all the same, and configuration items that requests reach
ticket_scopes as (
    select distinct
        exclusion_scope_code,
        service_code,
        case when exclusion_scope_code <> coalesce(service_code, '') then configuration_item_code end
            as configuration_item_code
    from ticket_events
),

-- '' stands for "no service": of a ticket without an item only requests for everything reach it
scopes as (
    select
        service_code as exclusion_scope_code,
        service_code,
        cast(null as varchar) as configuration_item_code
    from services
    union
    select
        exclusion_scope_code,
        service_code,
        configuration_item_code
    from ticket_scopes
    where exclusion_scope_code <> ''
    union
    select
        '' as exclusion_scope_code,
        cast(null as varchar) as service_code,
        cast(null as varchar) as configuration_item_code
),

described as (
    select
        scopes.exclusion_scope_code,
        scopes.service_code,
        scopes.configuration_item_code,
        services.vendor_code,
        items.vendor_code as item_vendor_code
    from scopes
    left join services on scopes.service_code = services.service_code
    left join items on scopes.configuration_item_code = items.configuration_item_code
),

-- an item is what a request goes by where it does not reach the scope by its service
reached as (
    select distinct
        requests.exclusion_id,
        described.exclusion_scope_code,
        case
            when requests.scope_type = 'configuration_item' then described.configuration_item_code
            when requests.scope_type = 'vendor' and coalesce(described.vendor_code, '') <> requests.scope_code
                then described.configuration_item_code
        end as configuration_item_code
    from requests
    inner join described
        on
            requests.scope_type = 'all'
            or (requests.scope_type = 'service' and requests.scope_code = described.service_code)
            or (
                requests.scope_type = 'vendor'
                and (
                    requests.scope_code = described.vendor_code
                    or requests.scope_code = described.item_vendor_code
                )
            )
            or (
                requests.scope_type = 'configuration_item'
                and requests.scope_code = described.configuration_item_code
            )
    where requests.is_documented
),

-- policy is that of the day an occurrence begins
counted as (
    select
        requests.exclusion_id,
        requests.exclusion_source,
        requests.audience,
        occurrences.occurrence_number,
        occurrences.starts_at,
        occurrences.ends_at
    from requests
    inner join occurrences on requests.exclusion_id = occurrences.exclusion_id
    inner join policies
        on
            requests.category = policies.category
            and requests.audience = policies.audience
            and cast(occurrences.starts_at as date) >= policies.effective_from
            and cast(occurrences.starts_at as date) <= coalesce(policies.effective_to, date '9999-12-31')
            and (
                not coalesce(policies.is_outside_control_required, false)
                or coalesce(requests.controllability = 'outside_control', false)
            )
    where requests.is_effective
    union all
    select
        requests.exclusion_id,
        requests.exclusion_source,
        'documented' as audience,
        occurrences.occurrence_number,
        occurrences.starts_at,
        occurrences.ends_at
    from requests
    inner join occurrences on requests.exclusion_id = occurrences.exclusion_id
    where requests.is_documented and requests.audience = 'internal'
),

final as (
    select
        reached.exclusion_scope_code,
        counted.audience,
        counted.exclusion_id,
        counted.exclusion_source,
        counted.occurrence_number,
        counted.starts_at,
        counted.ends_at
    from counted
    inner join reached on counted.exclusion_id = reached.exclusion_id
    left join item_refusals
        on
            counted.exclusion_id = item_refusals.exclusion_id
            and counted.occurrence_number = item_refusals.occurrence_number
            and reached.configuration_item_code = item_refusals.configuration_item_code
    where item_refusals.exclusion_id is null
)

select * from final
