with source as (
    select * from {{ source('servicenow', 'change_request') }}
),

latest as (
    {{ latest_version(['sys_id'], 'sys_updated_on') }}
),

renamed as (
    select
        sys_id as change_request_id,
        number,
        nullif(type, '') as change_type,
        nullif(state, '') as state,
        nullif(risk, '') as risk,
        {{ parse_timestamp('start_date') }} as planned_start_at,
        {{ parse_timestamp('end_date') }} as planned_end_at,
        {{ parse_timestamp('opened_at') }} as opened_at,
        {{ parse_timestamp('sys_updated_on') }} as sys_updated_at,
        nullif(business_service, '') as business_service_id,
        nullif(assignment_group, '') as assignment_group_id,
        nullif(close_code, '') as close_code,
        _batch_id as batch_id
    from latest
)

select * from renamed
