with source as (
    select * from {{ source('datadog', 'incident') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('datadog', 'incident', ['id']) }}
),

renamed as (
    select
        id as incident_id,
        nullif(title, '') as title,
        nullif(severity, '') as severity,
        nullif(state, '') as incident_state,
        {{ regex_group('services', '^\["([^"]+)"') }} as service_code,
        lower(nullif(detection_method, '')) as detection_method,
        nullif(monitor_id, '') as monitor_id,
        nullif(servicenow_ticket, '') as ticket_number,
        {{ parse_timestamp('detected', 'iso8601') }} as detected_at,
        {{ parse_timestamp('created', 'iso8601') }} as created_at,
        {{ parse_timestamp('resolved', 'iso8601') }} as resolved_at,
        _batch_id as batch_id
    from current_records
)

select * from renamed
