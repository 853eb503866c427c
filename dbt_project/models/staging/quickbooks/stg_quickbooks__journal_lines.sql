with source as (
    select * from {{ source('quickbooks', 'journal_line') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

account_mapping as (
    select * from {{ ref('account_mapping') }}
    where source_system = 'quickbooks'
),

current_records as (
    {{ current_batches('quickbooks', 'journal_line', ['transaction_id', 'account_id', 'line_number']) }}
),

renamed as (
    select
        transaction_id,
        account_id,
        cast(nullif(line_number, '') as integer) as line_number,
        {{ to_date('tx_date') }} as posted_on,
        nullif(txn_type, '') as transaction_type,
        nullif(doc_num, '') as document_number,
        nullif(name, '') as party_name,
        nullif(memo, '') as description,
        nullif(split_account, '') as split_account,
        nullif(account, '') as source_account_name,
        nullif(section_path, '') as section_path,
        nullif(class_name, '') as cost_centre_code,
        -- an empty side of a journal line is an amount of nothing, not an unknown one
        cast(coalesce(nullif(debit_amount, ''), '0') as decimal(18, 2)) as debit_amount,
        cast(coalesce(nullif(credit_amount, ''), '0') as decimal(18, 2)) as credit_amount,
        nullif(currency, '') as currency_code,
        cast(nullif(exchange_rate, '') as decimal(18, 8)) as exchange_rate_value,
        _batch_id as batch_id
    from current_records
),

mapped as (
    select
        renamed.transaction_id,
        renamed.account_id,
        renamed.line_number,
        renamed.posted_on,
        renamed.transaction_type,
        renamed.document_number,
        renamed.party_name,
        renamed.description,
        renamed.split_account,
        renamed.source_account_name,
        renamed.section_path,
        account_mapping.account_code,
        renamed.cost_centre_code,
        renamed.debit_amount,
        renamed.credit_amount,
        renamed.currency_code,
        renamed.exchange_rate_value,
        renamed.batch_id
    from renamed
    left join account_mapping on renamed.account_id = account_mapping.source_account_id
)

select * from mapped
