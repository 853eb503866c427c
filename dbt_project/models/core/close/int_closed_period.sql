-- The closed periods, as the archive was found at the start of the run.
with closed_period as (
    select * from {{ source('landing', 'closed_period') }}
),

final as (
    select
        period_code,
        sequence_number,
        closed_at,
        as_of_at,
        manifest_sha256,
        previous_manifest_sha256,
        code_revision,
        format_version,
        file_count,
        archive_size_bytes
    from closed_period
)

select * from final
