with findings as (
    select * from {{ source('landing', 'drift_finding') }}
),

final as (
    select
        source as source_name,
        entity as entity_name,
        column_name,
        measure as measure_code,
        severity,
        batch_id,
        partition_key,
        slice_from_at,
        slice_to_at,
        category,
        {{ decimal_of('expected_low', 4) }} as expected_low_value,
        {{ decimal_of('expected_high', 4) }} as expected_high_value,
        {{ decimal_of('found_value', 4) }} as found_value,
        history_count,
        expected_text,
        found_text,
        first_batch_id,
        is_gating,
        how_to_mend
    from findings
)

select * from final
