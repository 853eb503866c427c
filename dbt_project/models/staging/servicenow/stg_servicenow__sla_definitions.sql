with source as (
    select * from {{ source('servicenow', 'contract_sla') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('servicenow', 'contract_sla', ['sys_id']) }}
),

renamed as (
    select
        sys_id as sla_definition_id,
        nullif(name, '') as sla_name,
        nullif(target, '') as target,
        nullif(collection, '') as table_name,
        {{ glide_duration_seconds('duration') }} as duration_seconds,
        nullif(schedule, '') as schedule_id,
        cast(nullif(active, '') as boolean) as is_active,
        _batch_id as batch_id
    from current_records
)

select * from renamed
