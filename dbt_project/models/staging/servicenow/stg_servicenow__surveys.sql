with source as (
    select * from {{ source('servicenow', 'asmt_assessment_instance') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('servicenow', 'asmt_assessment_instance', ['sys_id']) }}
),

renamed as (
    select
        sys_id as survey_id,
        nullif(number, '') as number,
        nullif(metric_type, '') as survey_type_id,
        nullif(state, '') as state,
        nullif({{ adapter.quote('user') }}, '') as user_id,
        nullif(task_id, '') as task_id,
        {{ parse_timestamp('taken_on') }} as taken_at,
        {{ parse_timestamp('sys_created_on') }} as sys_created_at,
        _batch_id as batch_id
    from current_records
)

select * from renamed
