with items as (
    select * from {{ ref('int_cmdb_item') }}
),

events as (
    select * from {{ ref('int_ticket_event') }}
    where configuration_item_code is not null
),

requests as (
    select * from {{ ref('int_exclusion_request') }}
    where scope_type = 'configuration_item'
),

-- a ticket names an item from each event that holds it on; the first one at which it was not verified is listed
ticket_uses as (
    select
        'ticket' as subject_type,
        events.ticket_key as subject_key,
        events.configuration_item_code,
        min(events.event_at) as named_at,
        false as is_effective
    from events
    left join items on events.configuration_item_code = items.configuration_item_code
    where
        items.configuration_item_code is null
        or items.verified_from_at is null
        or items.verified_to_at is null
        or events.event_at < items.verified_from_at
        or events.event_at >= items.verified_to_at
    group by events.ticket_key, events.configuration_item_code
),

exclusion_uses as (
    select
        'exclusion' as subject_type,
        requests.exclusion_id as subject_key,
        requests.scope_code as configuration_item_code,
        min(requests.starts_at) as named_at,
        bool_or(requests.is_effective) as is_effective
    from requests
    left join items on requests.scope_code = items.configuration_item_code
    where
        items.configuration_item_code is null
        or items.verified_from_at is null
        or items.verified_to_at is null
        or requests.starts_at is null
        or requests.starts_at < items.verified_from_at
        or requests.starts_at >= items.verified_to_at
    group by requests.exclusion_id, requests.scope_code
),

uses as (
    select * from ticket_uses
    union all
    select * from exclusion_uses
),

final as (
    select
        cast(uses.subject_type as varchar) as subject_type,
        cast(uses.subject_key as varchar) as subject_key,
        cast(uses.configuration_item_code as varchar) as configuration_item_code,
        cast(uses.named_at as timestamp) as named_at,
        cast(case
            when items.configuration_item_code is null then 'not_in_cmdb'
            when items.refusal_reason is not null then items.refusal_reason
            when uses.named_at < items.verified_from_at then 'not_yet_verified'
            when items.is_retired then 'retired'
            else 'evidence_ran_out'
        end as varchar) as reason,
        cast(case
            when uses.subject_type = 'ticket' then 'measured_without_its_item'
            when uses.is_effective then 'still_effective'
            else 'not_effective'
        end as varchar) as consequence,
        cast(items.verified_from_at as timestamp) as verified_from_at,
        cast(items.verified_to_at as timestamp) as verified_to_at
    from uses
    left join items on uses.configuration_item_code = items.configuration_item_code
)

select * from final
