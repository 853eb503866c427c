with source as (
    select * from {{ source('bamboohr', 'on_call_rotation') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('bamboohr', 'on_call_rotation', ['id']) }}
),

renamed as (
    select
        id as on_call_rotation_id,
        {{ adapter.quote('employeeId') }} as employee_id,
        nullif({{ adapter.quote('rotationCode') }}, '') as rotation_code,
        cast(nullif({{ adapter.quote('level') }}, '') as integer) as level_number,
        {{ parse_timestamp(adapter.quote('startsAt'), 'iso8601') }} as starts_at,
        {{ parse_timestamp(adapter.quote('endsAt'), 'iso8601') }} as ends_at,
        nullif({{ adapter.quote('timeZone') }}, '') as time_zone,
        _batch_id as batch_id
    from current_records
)

select * from renamed
