with source as (
    select * from {{ source('jira', 'issue') }}
),

all_fields as (
    select * from {{ source('jira', 'field') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

latest as (
    {{ latest_version(['id'], parse_timestamp('updated', 'iso8601')) }}
),

mapped_fields as (
    select distinct field_name
    from {{ ref('field_mapping') }}
    where source_system = 'jira' and entity = 'issue'
),

named_fields as (
    select distinct
        all_fields.id as field_id,
        all_fields.name as field_name
    from all_fields
    inner join extract_state on all_fields._batch_id = extract_state.current_batch_id
    inner join mapped_fields on all_fields.name = mapped_fields.field_name
),

bodies as (
    select
        id as issue_id,
        {{ json_text('_record', '$.fields') }} as issue_fields,
        _batch_id as batch_id
    from latest
),

renamed as (
    select
        bodies.issue_id,
        named_fields.field_id,
        named_fields.field_name,
        nullif({{ json_value_text(json_text_of('bodies.issue_fields', 'named_fields.field_id')) }}, '') as field_value,
        bodies.batch_id
    from bodies
    cross join named_fields
)

select * from renamed
