with source as (
    select * from {{ source('servicenow_event_log', 'incident_event') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches(
        'servicenow_event_log', 'incident_event', ['number', 'sys_mod_count', 'sys_updated_at']
    ) }}
),

renamed as (
    select
        number,
        cast({{ known_text('sys_mod_count') }} as integer) as sys_mod_count,
        {{ parse_timestamp(known_text('sys_updated_at'), 'day_first_minute') }} as sys_updated_at,
        _row_number as source_row_number,

        {{ known_text('incident_state') }} as incident_state,
        cast({{ known_text('active') }} as boolean) as is_active,
        cast({{ regex_group(known_text('priority'), '^([0-9]+)') }} as integer) as priority,
        cast({{ regex_group(known_text('impact'), '^([0-9]+)') }} as integer) as impact,
        cast({{ regex_group(known_text('urgency'), '^([0-9]+)') }} as integer) as urgency,
        {{ known_text('assignment_group') }} as assignment_group,
        {{ known_text('assigned_to') }} as assigned_to,
        cast({{ known_text('reassignment_count') }} as integer) as reassignment_count,
        cast({{ known_text('reopen_count') }} as integer) as reopen_count,
        cast({{ known_text('made_sla') }} as boolean) as made_sla,

        {{ parse_timestamp(known_text('opened_at'), 'day_first_minute') }} as opened_at,
        {{ known_text('opened_by') }} as opened_by,
        {{ known_text('caller_id') }} as caller_id,
        {{ parse_timestamp(known_text('sys_created_at'), 'day_first_minute') }} as sys_created_at,
        {{ known_text('sys_created_by') }} as sys_created_by,
        {{ known_text('sys_updated_by') }} as sys_updated_by,
        {{ parse_timestamp(known_text('resolved_at'), 'day_first_minute') }} as resolved_at,
        {{ known_text('resolved_by') }} as resolved_by,
        {{ parse_timestamp(known_text('closed_at'), 'day_first_minute') }} as closed_at,
        {{ known_text('closed_code') }} as closed_code,

        {{ known_text('contact_type') }} as contact_type,
        {{ known_text('location') }} as location_name,
        {{ known_text('category') }} as category,
        {{ known_text('subcategory') }} as subcategory,
        {{ known_text('u_symptom') }} as u_symptom,
        {{ known_text('cmdb_ci') }} as cmdb_ci,
        cast({{ known_text('knowledge') }} as boolean) as is_knowledge,
        cast({{ known_text('u_priority_confirmation') }} as boolean) as is_priority_confirmed,
        {{ known_text('notify') }} as notification_type,
        {{ known_text('problem_id') }} as problem_id,
        {{ known_text('rfc') }} as rfc,
        {{ known_text('vendor') }} as vendor,
        {{ known_text('caused_by') }} as caused_by,

        _batch_id as batch_id
    from current_records
)

select * from renamed
