with findings as (
    select * from {{ ref('int_source_drift') }}
),

-- how far outside what is usual, as whole ten-thousandths over whole ten-thousandths
measured as (
    select
        *,
        case
            when expected_high_value > 0 and found_value > expected_high_value then found_value
            when expected_low_value > 0 and found_value < expected_low_value and found_value > 0 then expected_low_value
        end as larger_value,
        case
            when expected_high_value > 0 and found_value > expected_high_value then expected_high_value
            when expected_low_value > 0 and found_value < expected_low_value and found_value > 0 then found_value
        end as smaller_value
    from findings
),

final as (
    select
        cast(source_name as varchar) as source_name,
        cast(entity_name as varchar) as entity_name,
        cast(column_name as varchar) as column_name,
        cast(measure_code as varchar) as measure_code,
        cast(severity as varchar) as severity,
        cast(batch_id as varchar) as batch_id,
        cast(partition_key as varchar) as partition_key,
        cast(slice_from_at as timestamp) as slice_from_at,
        cast(slice_to_at as timestamp) as slice_to_at,
        cast(category as varchar) as category,
        cast(expected_low_value as decimal(18, 4)) as expected_low_value,
        cast(expected_high_value as decimal(18, 4)) as expected_high_value,
        cast(found_value as decimal(18, 4)) as found_value,
        cast(
            {{ round_half_up_ratio(
                integer_units('larger_value', 4), integer_units('smaller_value', 4), 4
            ) }} as decimal(18, 4)
        ) as magnitude_factor,
        cast(history_count as bigint) as history_count,
        cast(expected_text as varchar) as expected_text,
        cast(found_text as varchar) as found_text,
        cast(first_batch_id as varchar) as first_batch_id,
        cast(
            row_number() over (
                partition by source_name, entity_name, column_name, measure_code, category
                order by slice_from_at nulls first, batch_id
            ) as bigint
        ) as occurrence_count,
        cast(is_gating as boolean) as is_gating,
        cast(how_to_mend as varchar) as how_to_mend
    from measured
)

select * from final
