with listed_items as (
    select * from {{ ref('stg_servicenow__configuration_items') }}
),

relations as (
    select * from {{ ref('stg_servicenow__item_relations') }}
),

source_services as (
    select * from {{ ref('stg_servicenow__services') }}
),

relation_types as (
    select * from {{ ref('cmdb_relation_type') }}
    where is_of_service
),

governed_items as (
    select * from {{ ref('configuration_item') }}
),

policies as (
    select * from {{ ref('cmdb_policy') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

policy as (
    select
        policies.*,
        run_context.as_of_at
    from run_context
    inner join policies
        on
            cast(run_context.as_of_at as date) >= policies.effective_from
            and cast(run_context.as_of_at as date) <= coalesce(policies.effective_to, date '9999-12-31')
),

cmdb as (
    select count(*) > 0 as is_landed
    from listed_items
),

-- the services an item stands below; more than one is no fault as long as the governed one is among them
item_services as (
    select
        relations.child_item_id as configuration_item_id,
        source_services.service_code
    from relations
    inner join relation_types on relations.relation_type_id = relation_types.relation_type_id
    inner join source_services on relations.parent_item_id = source_services.service_id
    group by relations.child_item_id, source_services.service_code
),

service_lists as (
    select
        configuration_item_id,
        {{ string_list('service_code', 'service_code') }} as cmdb_service_codes
    from item_services
    group by configuration_item_id
),

item_codes as (
    select configuration_item_code from governed_items
    union
    select configuration_item_code
    from listed_items
    where configuration_item_code is not null
),

-- of two records of one name the one that is no duplicate of another is the item
chosen_items as (
    select *
    from listed_items
    where configuration_item_code is not null
    qualify row_number() over (
            partition by configuration_item_code
            order by
                case when duplicate_of_id is null then 0 else 1 end asc,
                last_discovered_at desc nulls last,
                configuration_item_id asc
        ) = 1
),

described as (
    select
        item_codes.configuration_item_code,
        chosen_items.configuration_item_id,
        chosen_items.class_name,
        governed_items.service_code,
        service_lists.cmdb_service_codes,
        governed_items.configuration_item_code is not null as is_governed,
        chosen_items.configuration_item_id is not null as is_listed,
        cmdb.is_landed,
        chosen_items.duplicate_of_id is not null as is_duplicate,
        coalesce(chosen_items.is_unverified, false) as is_unverified,
        coalesce(chosen_items.install_status = '7' or chosen_items.operational_status = '6', false) as is_retired,
        case when chosen_items.is_attested then chosen_items.attested_at end as attested_at,
        chosen_items.first_discovered_at,
        chosen_items.last_discovered_at,
        chosen_items.sys_updated_at,
        coalesce(policy.is_attestation_required, false) as is_attestation_required,
        policy.discovery_valid_days,
        policy.attestation_valid_days,
        policy.as_of_at,
        governed_items.configuration_item_code is not null
        and chosen_items.configuration_item_id is not null
        and governed_item_service.configuration_item_id is null as is_misplaced,
        chosen_items.batch_id
    from item_codes
    cross join cmdb
    cross join policy
    left join governed_items on item_codes.configuration_item_code = governed_items.configuration_item_code
    left join chosen_items on item_codes.configuration_item_code = chosen_items.configuration_item_code
    left join service_lists on chosen_items.configuration_item_id = service_lists.configuration_item_id
    left join item_services as governed_item_service
        on
            chosen_items.configuration_item_id = governed_item_service.configuration_item_id
            and governed_items.service_code = governed_item_service.service_code
),

-- discovery that no longer finds an item outweighs an attestation older than that
evidenced as (
    select
        *,
        {{ add_seconds('last_discovered_at', '86400 * discovery_valid_days') }} as discovery_ends_at,
        {{ add_seconds('attested_at', '86400 * attestation_valid_days') }} as attestation_ends_at,
        case when is_retired then sys_updated_at end as retired_at
    from described
),

spanned as (
    select
        *,
        case
            when first_discovered_at is null then attested_at
            when attested_at is null then first_discovered_at
            else least(first_discovered_at, attested_at)
        end as evidence_from_at,
        case
            when last_discovered_at is null then attestation_ends_at
            when attested_at is null or attested_at <= last_discovered_at
                then least(
                        discovery_ends_at,
                        case
                            when is_attestation_required then coalesce(attestation_ends_at, discovery_ends_at)
                            else discovery_ends_at
                        end
                    )
            else attestation_ends_at
        end as evidence_to_at
    from evidenced
),

judged as (
    select
        *,
        -- what no date can heal: the record is not to be trusted at any time
        case
            when not is_landed then 'cmdb_absent'
            when not is_listed then 'not_in_cmdb'
            when is_duplicate then 'duplicate'
            when is_unverified then 'requires_verification'
            when attested_at is null and is_attestation_required then 'not_attested'
            when evidence_from_at is null or evidence_to_at is null then 'never_evidenced'
        end as refusal_reason,
        case
            when retired_at is null then evidence_to_at
            when evidence_to_at is null then retired_at
            else least(retired_at, evidence_to_at)
        end as verified_until_at
    from spanned
),

final as (
    select
        configuration_item_code,
        configuration_item_id,
        class_name,
        service_code,
        cmdb_service_codes,
        is_governed,
        is_listed,
        is_retired,
        refusal_reason,
        case when refusal_reason is null then evidence_from_at end as verified_from_at,
        case when refusal_reason is null then verified_until_at end as verified_to_at,
        coalesce(refusal_reason is null and evidence_from_at <= as_of_at and as_of_at < verified_until_at, false)
            as is_verified,
        coalesce(
            refusal_reason is null
            and evidence_from_at <= as_of_at
            and as_of_at < verified_until_at
            and not is_misplaced,
            false
        ) as is_accurate,
        coalesce(nullif(concat_ws(
            ', ',
            refusal_reason,
            case when is_listed and is_retired then 'retired' end,
            case when refusal_reason is null and evidence_from_at > as_of_at then 'not_yet_verified' end,
            case
                when refusal_reason is null and not is_retired and evidence_to_at <= as_of_at
                    then case
                            when last_discovered_at is not null and discovery_ends_at <= as_of_at then 'not_seen_lately'
                            else 'attestation_expired'
                        end
            end,
            case
                when is_misplaced and cmdb_service_codes is null then 'service_relation_missing'
                when is_misplaced then 'service_differs'
            end
        ), ''), 'verified') as reasons,
        batch_id
    from judged
)

select * from final
