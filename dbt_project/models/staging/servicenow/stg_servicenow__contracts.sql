with source as (
    select * from {{ source('servicenow', 'ast_contract') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('servicenow', 'ast_contract', ['sys_id']) }}
),

renamed as (
    select
        sys_id as contract_id,
        nullif(number, '') as contract_code,
        nullif(short_description, '') as contract_name,
        nullif(vendor, '') as vendor_id,
        nullif(state, '') as state,
        {{ to_date('starts') }} as starts_on,
        {{ to_date('ends') }} as ends_on,
        _batch_id as batch_id
    from current_records
)

select * from renamed
