with source as (
    select * from {{ source('jira', 'account') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('jira', 'account', [adapter.quote('accountId')]) }}
),

renamed as (
    select
        {{ adapter.quote('accountId') }} as account_id,
        {{ adapter.quote('accountType') }} as account_type,
        {{ adapter.quote('displayName') }} as display_name,
        lower(nullif({{ adapter.quote('emailAddress') }}, '')) as email_address,
        cast(nullif(active, '') as boolean) as is_active,
        _batch_id as batch_id
    from current_records
)

select * from renamed
