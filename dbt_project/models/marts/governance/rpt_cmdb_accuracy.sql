with items as (
    select * from {{ ref('int_cmdb_item') }}
),

events as (
    select * from {{ ref('int_ticket_event') }}
    where configuration_item_code is not null
),

requests as (
    select * from {{ ref('exclusion_request') }}
    where scope_type = 'configuration_item'
),

uses as (
    select * from {{ ref('rpt_cmdb_use') }}
),

policies as (
    select * from {{ ref('cmdb_policy') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

policy as (
    select policies.*
    from run_context
    inner join policies
        on
            cast(run_context.as_of_at as date) >= policies.effective_from
            and cast(run_context.as_of_at as date) <= coalesce(policies.effective_to, date '9999-12-31')
),

ticket_counts as (
    select
        configuration_item_code,
        count(distinct ticket_key) as ticket_count
    from events
    group by configuration_item_code
),

request_counts as (
    select
        scope_code as configuration_item_code,
        count(*) as exclusion_count
    from requests
    group by scope_code
),

use_counts as (
    select
        configuration_item_code,
        sum(case when subject_type = 'ticket' then 1 else 0 end) as unverified_ticket_count,
        sum(case when subject_type = 'exclusion' then 1 else 0 end) as unverified_exclusion_count
    from uses
    group by configuration_item_code
),

item_codes as (
    select configuration_item_code from items
    union
    select configuration_item_code from ticket_counts
    union
    select configuration_item_code from request_counts
),

described as (
    select
        item_codes.configuration_item_code,
        items.class_name,
        items.service_code,
        items.cmdb_service_codes,
        coalesce(items.is_governed, false) as is_governed,
        coalesce(items.is_listed, false) as is_listed,
        coalesce(items.is_verified, false) as is_verified,
        coalesce(items.is_accurate, false) as is_accurate,
        items.verified_from_at,
        items.verified_to_at,
        coalesce(items.reasons, 'not_in_cmdb') as reasons,
        coalesce(ticket_counts.ticket_count, 0) as ticket_count,
        coalesce(use_counts.unverified_ticket_count, 0) as unverified_ticket_count,
        coalesce(request_counts.exclusion_count, 0) as exclusion_count,
        coalesce(use_counts.unverified_exclusion_count, 0) as unverified_exclusion_count,
        coalesce(items.is_governed, false)
        or ticket_counts.configuration_item_code is not null
        or request_counts.configuration_item_code is not null as is_in_scope
    from item_codes
    left join items on item_codes.configuration_item_code = items.configuration_item_code
    left join ticket_counts on item_codes.configuration_item_code = ticket_counts.configuration_item_code
    left join request_counts on item_codes.configuration_item_code = request_counts.configuration_item_code
    left join use_counts on item_codes.configuration_item_code = use_counts.configuration_item_code
),

totals as (
    select
        sum(case when is_in_scope then 1 else 0 end) as in_scope_count,
        sum(case when is_in_scope and is_accurate then 1 else 0 end) as accurate_count
    from described
),

final as (
    select
        cast(described.configuration_item_code as varchar) as configuration_item_code,
        cast(described.class_name as varchar) as class_name,
        cast(described.service_code as varchar) as service_code,
        cast(described.cmdb_service_codes as varchar) as cmdb_service_codes,
        cast(described.is_governed as boolean) as is_governed,
        cast(described.is_listed as boolean) as is_listed,
        cast(described.is_in_scope as boolean) as is_in_scope,
        cast(described.is_verified as boolean) as is_verified,
        cast(described.is_accurate as boolean) as is_accurate,
        cast(described.verified_from_at as timestamp) as verified_from_at,
        cast(described.verified_to_at as timestamp) as verified_to_at,
        cast(described.reasons as varchar) as reasons,
        cast(described.ticket_count as bigint) as ticket_count,
        cast(described.unverified_ticket_count as bigint) as unverified_ticket_count,
        cast(described.exclusion_count as bigint) as exclusion_count,
        cast(described.unverified_exclusion_count as bigint) as unverified_exclusion_count,
        cast({{ round_half_up_ratio('totals.accurate_count', 'totals.in_scope_count', 6) }} as decimal(9, 6))
            as accurate_share,
        cast(policy.minimum_accurate_share as decimal(9, 6)) as minimum_accurate_share
    from described
    cross join totals
    cross join policy
)

select * from final
