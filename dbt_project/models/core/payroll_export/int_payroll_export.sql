-- The payroll exports written so far, as their folder was found at the start of the run.
with payroll_export as (
    select * from {{ source('landing', 'payroll_export') }}
),

final as (
    select
        payment_period,
        country_code,
        export_number,
        sequence_number,
        exported_at,
        as_of_at,
        manifest_sha256,
        previous_manifest_sha256,
        line_count,
        employee_count
    from payroll_export
)

select * from final
