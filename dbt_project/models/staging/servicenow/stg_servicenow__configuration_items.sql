with source as (
    select * from {{ source('servicenow', 'cmdb_ci') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('servicenow', 'cmdb_ci', ['sys_id']) }}
),

renamed as (
    select
        sys_id as configuration_item_id,
        nullif(name, '') as configuration_item_code,
        nullif(sys_class_name, '') as class_name,
        nullif(operational_status, '') as operational_status,
        nullif(install_status, '') as install_status,
        cast(nullif(unverified, '') as boolean) as is_unverified,
        nullif(duplicate_of, '') as duplicate_of_id,
        {{ parse_timestamp('first_discovered') }} as first_discovered_at,
        {{ parse_timestamp('last_discovered') }} as last_discovered_at,
        nullif(discovery_source, '') as discovery_source,
        cast(nullif(attested, '') as boolean) as is_attested,
        {{ parse_timestamp('attested_date') }} as attested_at,
        nullif(attested_by, '') as attested_by_id,
        {{ parse_timestamp('sys_updated_on') }} as sys_updated_at,
        _batch_id as batch_id
    from current_records
)

select * from renamed
