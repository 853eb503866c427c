-- The extract batches every published record leads back to: what was asked of which source, when, and a hash of
-- what came.
with extract_batch as (
    select * from {{ ref('int_extract_batch') }}
),

final as (
    select
        cast(batch_id as varchar) as batch_id,
        cast(source_name as varchar) as source_name,
        cast(entity_name as varchar) as entity_name,
        cast(partition_key as varchar) as partition_key,
        cast(window_start_at as timestamp) as window_start_at,
        cast(window_end_at as timestamp) as window_end_at,
        cast(started_at as timestamp) as started_at,
        cast(finished_at as timestamp) as finished_at,
        cast(received_count as bigint) as received_count,
        cast(landed_row_count as bigint) as landed_row_count,
        cast(rejected_count as bigint) as rejected_count,
        cast(content_sha256 as varchar) as content_sha256,
        cast(connector_version as varchar) as connector_version
    from extract_batch
)

select * from final
