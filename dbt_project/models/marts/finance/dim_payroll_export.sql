-- The payroll exports: what was written when, with the hash to prove it by, and what it comes to in lines and people.
with payroll_export as (
    select * from {{ ref('int_payroll_export') }}
),

final as (
    select
        cast(
            payment_period || '/' || country_code || '/' || cast(export_number as varchar) as varchar
        ) as payroll_export_code,
        cast(payment_period as varchar) as payment_period,
        cast(country_code as varchar) as country_code,
        cast(export_number as integer) as export_number,
        cast(sequence_number as integer) as sequence_number,
        cast(exported_at as timestamp) as exported_at,
        cast(as_of_at as timestamp) as as_of_at,
        cast(line_count as bigint) as line_count,
        cast(employee_count as bigint) as employee_count,
        cast(manifest_sha256 as varchar) as manifest_sha256,
        cast(previous_manifest_sha256 as varchar) as previous_manifest_sha256
    from payroll_export
)

select * from final
