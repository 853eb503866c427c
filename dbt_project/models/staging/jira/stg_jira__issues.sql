with source as (
    select * from {{ source('jira', 'issue') }}
),

latest as (
    {{ latest_version(['id'], parse_timestamp('updated', 'iso8601')) }}
),

renamed as (
    select
        id as issue_id,
        nullif({{ adapter.quote('key') }}, '') as issue_key,
        nullif(project_key, '') as project_key,
        nullif(issue_type, '') as issue_type,
        nullif(status_id, '') as status_id,
        nullif(status, '') as status_name,
        nullif(priority_id, '') as priority_id,
        -- other schemes count as they please: 10100 is no priority of ours
        case when priority_id in ('1', '2', '3', '4', '5') then cast(priority_id as integer) end as priority,
        nullif(summary, '') as summary,

        {{ parse_timestamp('created', 'iso8601') }} as created_at,
        {{ parse_timestamp('updated', 'iso8601') }} as updated_at,
        {{ parse_timestamp('resolutiondate', 'iso8601') }} as resolved_at,
        nullif(resolution, '') as resolution,

        nullif(reporter_id, '') as reporter_id,
        nullif(assignee_id, '') as assignee_id,
        {{ json_text('request_type', '$.requestType.name') }} as request_type,
        nullif(organizations, '') as organizations,
        nullif(assignment_group, '') as assignment_group_name,
        nullif(time_to_first_response, '') as first_response_sla,
        nullif(time_to_resolution, '') as resolution_sla,

        _batch_id as batch_id
    from latest
)

select * from renamed
