with source as (
    select * from {{ source('jira', 'issue_changelog') }}
),

latest as (
    {{ latest_version(['issue_id', 'id'], parse_timestamp('issue_updated', 'iso8601')) }}
),

renamed as (
    select
        issue_id,
        cast(id as bigint) as history_id,
        issue_key,
        {{ parse_timestamp('created', 'iso8601') }} as changed_at,
        nullif(author_id, '') as author_id,
        nullif(items, '') as items,
        {{ parse_timestamp('issue_updated', 'iso8601') }} as issue_updated_at,
        _batch_id as batch_id
    from latest
)

select * from renamed
