with source as (
    select * from {{ source('servicenow', 'cmdb_ci_service') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('servicenow', 'cmdb_ci_service', ['sys_id']) }}
),

renamed as (
    select
        sys_id as service_id,
        nullif(name, '') as service_name,
        nullif(number, '') as service_code,
        nullif(busines_criticality, '') as business_criticality,
        nullif(support_group, '') as support_group_id,
        nullif(operational_status, '') as operational_status,
        _batch_id as batch_id
    from current_records
)

select * from renamed
