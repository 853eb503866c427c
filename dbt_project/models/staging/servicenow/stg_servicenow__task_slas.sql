with source as (
    select * from {{ source('servicenow', 'task_sla') }}
),

latest as (
    {{ latest_version(['sys_id'], 'sys_updated_on') }}
),

renamed as (
    select
        sys_id as task_sla_id,
        nullif(task, '') as task_id,
        nullif(sla, '') as sla_definition_id,
        nullif(stage, '') as stage,
        cast(nullif(active, '') as boolean) as is_active,
        cast(nullif(has_breached, '') as boolean) as has_breached,
        {{ parse_timestamp('start_time') }} as start_at,
        {{ parse_timestamp('end_time') }} as end_at,
        {{ parse_timestamp('planned_end_time') }} as planned_end_at,
        {{ glide_duration_seconds('pause_duration') }} as paused_seconds,
        {{ glide_duration_seconds('business_pause_duration') }} as business_paused_seconds,
        {{ glide_duration_seconds('duration') }} as elapsed_seconds,
        {{ glide_duration_seconds('business_duration') }} as business_elapsed_seconds,
        cast(cast(nullif(percentage, '') as decimal(15, 4)) * cast('0.01' as decimal(3, 2)) as decimal(18, 6))
            as elapsed_share,
        cast(cast(nullif(business_percentage, '') as decimal(15, 4)) * cast('0.01' as decimal(3, 2)) as decimal(18, 6))
            as business_elapsed_share,
        nullif(schedule, '') as schedule_id,
        {{ parse_timestamp('sys_updated_on') }} as sys_updated_at,
        _batch_id as batch_id
    from latest
)

select * from renamed
