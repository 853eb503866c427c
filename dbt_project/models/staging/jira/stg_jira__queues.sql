with source as (
    select * from {{ source('jira', 'queue') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('jira', 'queue', ['service_desk_id', 'id']) }}
),

renamed as (
    select
        service_desk_id,
        id as queue_id,
        name as queue_name,
        jql,
        cast(nullif({{ adapter.quote('issueCount') }}, '') as integer) as issue_count,
        _batch_id as batch_id
    from current_records
)

select * from renamed
