with source as (
    select * from {{ source('servicenow', 'asmt_metric_result') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('servicenow', 'asmt_metric_result', ['sys_id']) }}
),

renamed as (
    select
        sys_id as survey_answer_id,
        nullif(instance, '') as survey_id,
        nullif(metric, '') as question_id,
        cast(nullif(actual_value, '') as decimal(18, 6)) as score_points,
        nullif(string_value, '') as answer_text,
        nullif({{ adapter.quote('user') }}, '') as user_id,
        {{ parse_timestamp('sys_created_on') }} as sys_created_at,
        _batch_id as batch_id
    from current_records
)

select * from renamed
