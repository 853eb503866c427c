-- The months whose payroll register or journal has been landed, lines or none: the difference between "not
-- paid" and "not told yet".
with extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

final as (
    select
        source as source_name,
        partition_key as month_code,
        current_batch_id as batch_id
    from extract_state
    where
        (source = 'payroll' and entity = 'register_line')
        or (source = 'ledger' and entity = 'journal_line')
)

select * from final
