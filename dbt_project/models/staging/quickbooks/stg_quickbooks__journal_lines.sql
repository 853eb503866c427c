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
        current_records.transaction_id,
        current_records.account_id,
        cast(current_records.line_number as integer) as line_number,
        {{ to_date('current_records.tx_date') }} as posted_on,
        nullif(current_records.txn_type, '') as transaction_type,
        nullif(current_records.doc_num, '') as document_number,
        nullif(current_records.name, '') as party_name,
        nullif(current_records.memo, '') as description,
        nullif(current_records.split_account, '') as split_account,
        nullif(current_records.account, '') as source_account_name,
        nullif(current_records.section_path, '') as section_path,
        account_mapping.account_code,
        nullif(current_records.class_name, '') as cost_centre_code,
        cast(coalesce(nullif(current_records.debit_amount, ''), '0') as decimal(18, 2)) as debit_amount,
        cast(coalesce(nullif(current_records.credit_amount, ''), '0') as decimal(18, 2)) as credit_amount,
        nullif(current_records.currency, '') as currency_code,
        cast(nullif(current_records.exchange_rate, '') as decimal(18, 8)) as exchange_rate_value,
        current_records._batch_id as batch_id
    from current_records
    left join account_mapping on current_records.account_id = account_mapping.source_account_id
)

select * from renamed
