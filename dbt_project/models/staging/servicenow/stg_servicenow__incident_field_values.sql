with source as (
    select * from {{ source('servicenow', 'incident') }}
),

mapped_fields as (
    select distinct field_name
    from {{ ref('field_mapping') }}
    where source_system = 'servicenow' and entity = 'incident'
),

latest as (
    {{ latest_version(['sys_id'], 'sys_updated_on') }}
),

named as (
    select
        latest.sys_id as incident_id,
        mapped_fields.field_name,
        {{ json_value_text(json_text_of('latest._record', 'mapped_fields.field_name')) }} as field_value,
        {{ json_text_of('latest._record', 'mapped_fields.field_name') }} is not null as is_delivered,
        latest._batch_id as batch_id
    from latest
    cross join mapped_fields
),

renamed as (
    select
        incident_id,
        field_name,
        nullif(field_value, '') as field_value,
        batch_id
    from named
    where is_delivered
)

select * from renamed
