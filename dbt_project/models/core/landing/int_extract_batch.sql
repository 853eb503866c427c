with extract_batch as (
    select * from {{ source('landing', 'extract_batch') }}
),

final as (
    select
        batch_id,
        source as source_name,
        entity as entity_name,
        partition_key,
        window_start_at,
        window_end_at,
        started_at,
        finished_at,
        received_count,
        row_count as landed_row_count,
        rejected_count,
        high_water_after as high_water_at,
        content_sha256,
        connector_version
    from extract_batch
)

select * from final
