with source as (
    select * from {{ source('servicenow', 'problem') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('servicenow', 'problem', ['sys_id']) }}
),

renamed as (
    select
        sys_id as problem_id,
        nullif(number, '') as number,
        {{ parse_timestamp('opened_at') }} as opened_at,
        {{ parse_timestamp('sys_updated_on') }} as sys_updated_at,
        nullif(state, '') as state,
        cast(nullif(priority, '') as integer) as priority,
        nullif(assignment_group, '') as assignment_group_id,
        nullif(assigned_to, '') as assigned_to_id,
        nullif(business_service, '') as business_service_id,
        nullif(cmdb_ci, '') as configuration_item_id,
        nullif(first_reported_by_task, '') as first_reported_by_id,
        cast(nullif(known_error, '') as boolean) as is_known_error,
        {{ parse_timestamp('confirmed_at') }} as confirmed_at,
        {{ parse_timestamp('resolved_at') }} as resolved_at,
        nullif(resolution_code, '') as resolution_code,
        {{ parse_timestamp('closed_at') }} as closed_at,
        cast(nullif(related_incidents, '') as integer) as related_incident_count,
        nullif(short_description, '') as short_description,
        cast(nullif(active, '') as boolean) as is_active,
        _batch_id as batch_id
    from current_records
)

select * from renamed
