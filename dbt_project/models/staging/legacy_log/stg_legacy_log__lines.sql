with source as (
    select * from {{ source('legacy_log', 'log_line') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('legacy_log', 'log_line', ['log_name', 'log_file', 'line_number']) }}
),

renamed as (
    select
        log_name,
        log_file,
        cast(line_number as bigint) as line_number,
        line_kind,
        {{ parse_timestamp('logged_at', 'iso8601') }} as logged_at,
        nullif(path, '') as request_path,
        nullif(status, '') as status_code,
        cast(nullif(response_ms, '') as bigint) as response_ms,
        upper(nullif(level, '')) as log_level,
        nullif(message, '') as log_message,
        _batch_id as batch_id
    from current_records
)

select * from renamed
