with source as (
    select * from {{ source('jira', 'project') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('jira', 'project', ['id']) }}
),

renamed as (
    select
        id as project_id,
        {{ adapter.quote('key') }} as project_key,
        name as project_name,
        {{ adapter.quote('projectTypeKey') }} as project_type,
        _batch_id as batch_id
    from current_records
)

select * from renamed
