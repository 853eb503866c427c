with source as (
    select * from {{ source('ledger', 'cost_centre') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('ledger', 'cost_centre', ['cost_centre']) }}
),

renamed as (
    select
        cost_centre as cost_centre_code,
        nullif(name, '') as cost_centre_name,
        nullif(currency, '') as currency_code,
        nullif(responsible_team, '') as team_code,
        {{ to_date('valid_from') }} as effective_from,
        {{ to_date('valid_to') }} as effective_to,
        _batch_id as batch_id
    from current_records
)

select * from renamed
