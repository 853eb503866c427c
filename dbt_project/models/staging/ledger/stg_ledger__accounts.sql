with source as (
    select * from {{ source('ledger', 'account') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('ledger', 'account', ['account']) }}
),

renamed as (
    select
        account as account_code,
        nullif(name, '') as account_name,
        lower(nullif(trim(account_type), '')) as account_type,
        nullif(parent_account, '') as parent_account_code,
        lower(nullif(trim(normal_side), '')) as normal_side,
        {{ to_date('valid_from') }} as effective_from,
        {{ to_date('valid_to') }} as effective_to,
        _batch_id as batch_id
    from current_records
)

select * from renamed
