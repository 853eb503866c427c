with source as (
    select * from {{ source('servicenow', 'incident') }}
),

latest as (
    {{ latest_version(['sys_id'], 'sys_updated_on') }}
),

renamed as (
    select
        sys_id as incident_id,
        number,

        {{ parse_timestamp('opened_at') }} as opened_at,
        nullif(opened_by, '') as opened_by_id,
        nullif(caller_id, '') as caller_id,
        {{ parse_timestamp('sys_created_on') }} as sys_created_at,
        {{ parse_timestamp('sys_updated_on') }} as sys_updated_at,
        cast(nullif(sys_mod_count, '') as integer) as sys_mod_count,

        nullif(state, '') as state,
        cast(nullif(priority, '') as integer) as priority,
        cast(nullif(impact, '') as integer) as impact,
        cast(nullif(urgency, '') as integer) as urgency,
        nullif(assignment_group, '') as assignment_group_id,
        nullif(assigned_to, '') as assigned_to_id,
        nullif(business_service, '') as business_service_id,
        nullif(cmdb_ci, '') as configuration_item_id,
        nullif(contract, '') as contract_id,
        nullif(category, '') as category,
        nullif(contact_type, '') as contact_type,
        cast(nullif(reopen_count, '') as integer) as reopen_count,
        cast(nullif(reassignment_count, '') as integer) as reassignment_count,

        {{ parse_timestamp('resolved_at') }} as resolved_at,
        nullif(resolved_by, '') as resolved_by_id,
        {{ parse_timestamp('closed_at') }} as closed_at,
        nullif(close_code, '') as close_code,
        cast(nullif(made_sla, '') as boolean) as made_sla,
        nullif(short_description, '') as short_description,
        cast(nullif(active, '') as boolean) as is_active,
        nullif(problem_id, '') as problem_id,

        _batch_id as batch_id
    from latest
)

select * from renamed
