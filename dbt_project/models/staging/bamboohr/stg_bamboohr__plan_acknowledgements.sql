with source as (
    select * from {{ source('bamboohr', 'plan_acknowledgement') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('bamboohr', 'plan_acknowledgement', ['id']) }}
),

renamed as (
    select
        id as plan_acknowledgement_id,
        {{ adapter.quote('employeeId') }} as employee_id,
        {{ to_date(adapter.quote('date')) }} as sent_on,
        nullif({{ adapter.quote('planCode') }}, '') as plan_code,
        cast(nullif({{ adapter.quote('planVersion') }}, '') as integer) as plan_version,
        nullif(communication, '') as communication_code,
        {{ parse_timestamp(adapter.quote('acknowledgedAt'), 'iso8601') }} as acknowledged_at,
        _batch_id as batch_id
    from current_records
)

select * from renamed
