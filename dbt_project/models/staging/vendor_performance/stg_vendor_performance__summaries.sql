with source as (
    select * from {{ source('vendor_performance', 'summary') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

current_records as (
    {{ current_batches('vendor_performance', 'summary', ['vendor_code', 'service_code', 'measure', 'period_month']) }}
),

renamed as (
    select
        vendor_code,
        service_code,
        measure,
        {{ to_date("period_month || '-01'") }} as period_month,
        cast(nullif(claimed_share, '') as decimal(9, 6)) as claimed_share,
        cast(nullif(record_count, '') as integer) as claimed_record_count,
        {{ to_date('reported_on') }} as reported_on,
        _batch_id as batch_id
    from current_records
)

select * from renamed
