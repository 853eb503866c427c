-- Sums of every definition per entity, month and stratum, from the cells, without what a freeze takes out of the
-- measurement. A weight multiplies what a cell brings; the squared sums feed the intervals.
with metric_part as (
    select * from {{ ref('int_metric_part') }}
),

metric_cell as (
    select * from {{ ref('int_metric_cell') }}
),

metric_entity_type as (
    select * from {{ ref('metric_entity_type') }}
),

metric_period as (
    select * from {{ ref('int_metric_period') }}
),

frozen_slice as (
    select * from {{ ref('int_metric_frozen_slice') }}
),

metric_definition as (
    select * from {{ ref('int_metric_definition') }}
),

quarter_month as (
    select {{ number_spine('0', '2') }} as month_number
),

-- a period's months; a version is computed for the months of its own periods alone
version_month as (
    select distinct
        metric_period.metric_code,
        metric_period.metric_version,
        metric_entity_type.entity_type,
        {{ add_months('metric_period.period_start_on', 'quarter_month.month_number') }} as month_on
    from metric_period
    inner join quarter_month on metric_period.period_grain = 'quarter' or quarter_month.month_number = 0
    inner join metric_entity_type
        on
            metric_period.metric_code = metric_entity_type.metric_code
            and metric_period.metric_version = metric_entity_type.metric_version
            and metric_entity_type.entity_type
            = coalesce(metric_period.replayed_entity_type, metric_entity_type.entity_type)
),

frozen as (
    select distinct
        frozen_slice.metric_code,
        frozen_slice.entity_type,
        frozen_slice.entity_code,
        frozen_slice.slice_from_on
    from frozen_slice
),

asked as (
    select
        metric_part.*,
        version_month.entity_type,
        version_month.month_on,
        case when metric_definition.denominator_measure is null then 'numerator' else 'denominator' end as sampled_part
    from metric_part
    inner join metric_definition
        on
            metric_part.metric_code = metric_definition.metric_code
            and metric_part.metric_version = metric_definition.metric_version
    inner join version_month
        on
            metric_part.metric_code = version_month.metric_code
            and metric_part.metric_version = version_month.metric_version
),

final as (
    select
        asked.metric_code,
        asked.metric_version,
        asked.entity_type,
        metric_cell.entity_code,
        asked.month_on,
        asked.stratum_code,
        asked.sample_code,
        sum(case when asked.part_code = 'numerator' then asked.part_weight * metric_cell.measured_value else 0 end)
            as numerator,
        sum(case when asked.part_code = 'numerator' then metric_cell.measured_value else 0 end) as plain_numerator,
        sum(case when asked.part_code = 'denominator' then asked.part_weight * metric_cell.measured_value else 0 end)
            as denominator,
        sum(case
            when asked.part_code <> asked.sampled_part then 0
            -- rows of a table that holds sums already are not what was observed
            when asked.part_code = 'denominator' and asked.is_sample then metric_cell.measured_value
            else metric_cell.observation_count
        end) as observation_count,
        sum(case
            when asked.part_code = 'numerator'
                then asked.part_weight * asked.part_weight * metric_cell.measured_value
            else 0
        end) as weighted_numerator_sum,
        sum(case
            when asked.part_code = 'denominator'
                then asked.part_weight * asked.part_weight * metric_cell.measured_value
            else 0
        end) as weighted_denominator_sum,
        sum(case when asked.part_code = 'numerator' then metric_cell.square_value end) as numerator_square_sum,
        sum(case when asked.part_code = 'numerator' then metric_cell.product_value end) as product_sum,
        sum(case when asked.part_code = 'numerator' then metric_cell.whole_square_value end)
            as denominator_square_sum
    from asked
    inner join metric_cell
        on
            asked.observation_kind = metric_cell.observation_kind
            and asked.dimension_key = metric_cell.dimension_key
            and asked.measure_code = metric_cell.measure_code
            and asked.entity_type = metric_cell.entity_type
            and asked.month_on = metric_cell.month_on
    left join frozen
        on
            asked.metric_code = frozen.metric_code
            and asked.entity_type = coalesce(frozen.entity_type, asked.entity_type)
            and metric_cell.entity_code = coalesce(frozen.entity_code, metric_cell.entity_code)
            and metric_cell.slice_from_on = frozen.slice_from_on
    where frozen.metric_code is null
    group by
        asked.metric_code, asked.metric_version, asked.entity_type, metric_cell.entity_code, asked.month_on,
        asked.stratum_code, asked.sample_code
)

select * from final
