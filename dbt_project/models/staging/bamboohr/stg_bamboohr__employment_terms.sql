with source as (
    select * from {{ source('bamboohr', 'employment_term') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('bamboohr', 'employment_term', ['id']) }}
),

renamed as (
    select
        id as employment_term_id,
        {{ adapter.quote('employeeId') }} as employee_id,
        {{ to_date(adapter.quote('date')) }} as effective_on,
        {{ to_date(adapter.quote('dateEntered')) }} as entered_on,
        nullif({{ adapter.quote('jurisdiction') }}, '') as jurisdiction_code,
        nullif({{ adapter.quote('unionCode') }}, '') as union_code,
        nullif({{ adapter.quote('exemptStatus') }}, '') as exempt_status,
        cast(nullif({{ adapter.quote('tier') }}, '') as integer) as tier,
        _batch_id as batch_id
    from current_records
)

select * from renamed
