with source as (
    select * from {{ source('servicenow', 'kb_knowledge') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('servicenow', 'kb_knowledge', ['sys_id']) }}
),

renamed as (
    select
        sys_id as article_id,
        nullif(number, '') as number,
        nullif(short_description, '') as short_description,
        nullif(workflow_state, '') as workflow_state,
        nullif(author, '') as author_id,
        {{ to_date('published') }} as published_on,
        {{ to_date('valid_to') }} as valid_to_on,
        cast(nullif(sys_view_count, '') as integer) as view_count,
        cast(nullif(use_count, '') as integer) as use_count,
        cast(nullif(rating, '') as decimal(9, 6)) as rating_points,
        {{ parse_timestamp('sys_updated_on') }} as sys_updated_at,
        _batch_id as batch_id
    from current_records
)

select * from renamed
