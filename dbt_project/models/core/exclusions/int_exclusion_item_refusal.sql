with requests as (
    select * from {{ ref('exclusion_request') }}
),

occurrences as (
    select * from {{ ref('int_exclusion_occurrence') }}
),

governed_items as (
    select * from {{ ref('configuration_item') }}
),

listed_items as (
    select * from {{ ref('stg_servicenow__configuration_items') }}
),

cmdb_items as (
    select * from {{ ref('int_cmdb_item') }}
),

policies as (
    select * from {{ ref('cmdb_policy') }}
    where is_item_exclusion_refused
),

-- without a CMDB nothing is verified, and nothing is refused for it
cmdb as (
    select count(*) > 0 as is_landed
    from listed_items
),

-- a vendor's request goes by an item too, where it reaches a ticket through the item's vendor
named_items as (
    select
        exclusion_id,
        scope_code as configuration_item_code
    from requests
    where scope_type = 'configuration_item'
    union all
    select
        requests.exclusion_id,
        governed_items.configuration_item_code
    from requests
    inner join governed_items on requests.scope_code = governed_items.vendor_code
    where requests.scope_type = 'vendor'
),

final as (
    select
        named_items.exclusion_id,
        occurrences.occurrence_number,
        named_items.configuration_item_code,
        case
            when coalesce(cmdb_items.is_listed, false) then 'item_not_verified'
            else 'item_not_in_cmdb'
        end as item_fault
    from named_items
    inner join cmdb on cmdb.is_landed
    inner join occurrences on named_items.exclusion_id = occurrences.exclusion_id
    inner join policies
        on
            cast(occurrences.starts_at as date) >= policies.effective_from
            and cast(occurrences.starts_at as date) <= coalesce(policies.effective_to, date '9999-12-31')
    left join cmdb_items on named_items.configuration_item_code = cmdb_items.configuration_item_code
    where
        not coalesce(
            occurrences.starts_at >= cmdb_items.verified_from_at and occurrences.starts_at < cmdb_items.verified_to_at,
            false
        )
)

select * from final
