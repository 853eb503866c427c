with windows as (
    select * from {{ ref('int_slo_window') }}
),

definitions as (
    select * from {{ ref('int_slo_definition') }}
),

readings as (
    select * from {{ ref('fct_slo_reading') }}
),

measured as (
    select
        windows.slo_code,
        windows.slo_version,
        definitions.service_code,
        windows.window_kind,
        windows.window_code,
        windows.window_start_on,
        windows.window_end_on,
        windows.window_start_at,
        windows.window_end_at,
        windows.measured_to_at,
        windows.is_complete,
        definitions.counted_unit,
        definitions.exclusion_effect,
        definitions.minimum_event_count,
        definitions.target_share,
        {{ integer_units('1 - definitions.target_share', 6) }} as budget_millionths,
        last_reading.total_count - first_reading.total_count as total_count,
        last_reading.good_count - first_reading.good_count as good_count,
        last_reading.excluded_count - first_reading.excluded_count as excluded_count,
        last_reading.unknown_count - first_reading.unknown_count as unknown_count,
        last_reading.adjusted_total_count - first_reading.adjusted_total_count as adjusted_total_count,
        last_reading.adjusted_good_count - first_reading.adjusted_good_count as adjusted_good_count
    from windows
    inner join definitions
        on windows.slo_code = definitions.slo_code and windows.slo_version = definitions.slo_version
    inner join readings as first_reading
        on
            windows.slo_code = first_reading.slo_code
            and windows.slo_version = first_reading.slo_version
            and windows.window_start_at = first_reading.reading_at
    inner join readings as last_reading
        on
            windows.slo_code = last_reading.slo_code
            and windows.slo_version = last_reading.slo_version
            and windows.measured_to_at = last_reading.reading_at
),

budgeted as (
    select
        *,
        total_count - good_count as bad_count,
        adjusted_total_count - adjusted_good_count as consumed_count,
        {{ int_div('budget_millionths * adjusted_total_count', '1000000') }} as budget_count,
        case
            when counted_unit = 'slice_millionth' then {{ int_div('adjusted_total_count', '1000000') }}
            else adjusted_total_count
        end as event_count
    from measured
),

judged as (
    select
        *,
        case
            when adjusted_total_count = 0 or event_count < minimum_event_count then 'insufficient_data'
            when consumed_count > budget_count then 'exhausted'
            else 'within_budget'
        end as budget_status
    from budgeted
),

final as (
    select
        cast(slo_code as varchar) as slo_code,
        cast(slo_version as integer) as slo_version,
        cast(service_code as varchar) as service_code,
        cast(window_kind as varchar) as window_kind,
        cast(window_code as varchar) as window_code,
        cast(window_start_on as date) as window_start_on,
        cast(window_end_on as date) as window_end_on,
        cast(window_start_at as timestamp) as window_start_at,
        cast(window_end_at as timestamp) as window_end_at,
        cast(measured_to_at as timestamp) as measured_to_at,
        cast(is_complete as boolean) as is_complete,
        cast(counted_unit as varchar) as counted_unit,
        cast(exclusion_effect as varchar) as exclusion_effect,
        cast(total_count as bigint) as total_count,
        cast(good_count as bigint) as good_count,
        cast(bad_count as bigint) as bad_count,
        cast(excluded_count as bigint) as excluded_count,
        cast(unknown_count as bigint) as unknown_count,
        cast(adjusted_total_count as bigint) as adjusted_total_count,
        cast(adjusted_good_count as bigint) as adjusted_good_count,
        cast(event_count as bigint) as event_count,
        cast(minimum_event_count as bigint) as minimum_event_count,
        cast(target_share as decimal(18, 6)) as target_share,
        {{ round_half_up_ratio('bad_count', 'total_count', 6) }} as raw_error_share,
        {{ round_half_up_ratio('consumed_count', 'adjusted_total_count', 6) }} as adjusted_error_share,
        cast(budget_count as bigint) as budget_count,
        cast(consumed_count as bigint) as consumed_count,
        cast(budget_count - consumed_count as bigint) as remaining_count,
        {{ round_half_up_ratio('1000000 * consumed_count', 'budget_millionths * adjusted_total_count', 6) }}
            as consumed_share,
        cast(
            1 - {{ round_half_up_ratio('1000000 * consumed_count', 'budget_millionths * adjusted_total_count', 6) }}
            as decimal(18, 6)
        ) as remaining_share,
        cast(budget_status as varchar) as budget_status,
        cast(is_complete and budget_status <> 'insufficient_data' as boolean) as is_payable
    from judged
)

select * from final
