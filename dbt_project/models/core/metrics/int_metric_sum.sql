-- Sums of every definition per entity, month and stratum, from the cells, without what a freeze takes out of the
-- measurement. A weight multiplies what a cell brings; the squared sums feed the intervals. Versions that take the same
-- of the cells (one that changed its target or its notes, one that is replayed beside it) are summed once.
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

observed_kind as (
    select distinct
        metric_code,
        observation_kind
    from metric_part
),

-- a row of a whole month cannot be cut: a freeze that touches the month takes it out whole
frozen as (
    select distinct
        frozen_slice.metric_code,
        frozen_slice.entity_type,
        frozen_slice.entity_code,
        observed_kind.observation_kind,
        {{ metric_freezable_from('observed_kind.observation_kind', 'frozen_slice.slice_from_on') }} as freezable_from_on
    from frozen_slice
    inner join observed_kind
        on frozen_slice.metric_code = observed_kind.metric_code
),

frozen_metric as (
    select distinct metric_code
    from frozen_slice
),

-- what a version takes as text; a freeze takes days out of its own metric alone
version_taken as (
    select
        metric_part.metric_code,
        metric_part.metric_version,
        case when metric_definition.denominator_measure is null then 'numerator' else 'denominator' end as sampled_part,
        case when frozen_metric.metric_code is not null then metric_part.metric_code end as frozen_metric_code,
        {{ string_list(
            "concat_ws('|', metric_part.part_code, metric_part.observation_kind, metric_part.measure_code, "
            ~ "metric_part.dimension_key, metric_part.part_weight, metric_part.stratum_code, metric_part.sample_code)",
            'metric_part.part_code, metric_part.dimension_key'
        ) }} as taken_text
    from metric_part
    inner join metric_definition
        on
            metric_part.metric_code = metric_definition.metric_code
            and metric_part.metric_version = metric_definition.metric_version
    left join frozen_metric on metric_part.metric_code = frozen_metric.metric_code
    group by
        metric_part.metric_code, metric_part.metric_version, metric_definition.denominator_measure,
        frozen_metric.metric_code
),

-- the versions that take the same have one number
version_recipe as (
    select
        *,
        dense_rank() over (order by sampled_part, frozen_metric_code, taken_text) as recipe_number
    from version_taken
),

-- a cell's contribution to each sum is its value times a factor
recipe_part as (
    select distinct
        version_recipe.recipe_number,
        version_recipe.frozen_metric_code,
        metric_part.observation_kind,
        metric_part.dimension_key,
        metric_part.measure_code,
        metric_part.stratum_code,
        metric_part.sample_code,
        metric_part.part_code = 'numerator' as is_numerator,
        case when metric_part.part_code = 'numerator' then 1 else 0 end as plain_factor,
        case when metric_part.part_code = 'numerator' then metric_part.part_weight else 0 end as numerator_factor,
        case when metric_part.part_code = 'denominator' then metric_part.part_weight else 0 end as denominator_factor,
        metric_part.part_code = version_recipe.sampled_part as is_sampled,
        -- rows of a table that holds sums already are not what was observed
        metric_part.part_code = 'denominator' and metric_part.is_sample as is_value_counted
    from metric_part
    inner join version_recipe
        on
            metric_part.metric_code = version_recipe.metric_code
            and metric_part.metric_version = version_recipe.metric_version
),

recipe_month as (
    select distinct
        version_recipe.recipe_number,
        version_month.entity_type,
        version_month.month_on
    from version_recipe
    inner join version_month
        on
            version_recipe.metric_code = version_month.metric_code
            and version_recipe.metric_version = version_month.metric_version
),

asked as (
    select
        recipe_part.*,
        recipe_month.entity_type,
        recipe_month.month_on
    from recipe_part
    inner join recipe_month on recipe_part.recipe_number = recipe_month.recipe_number
),

recipe_sum as (
    select
        asked.recipe_number,
        asked.entity_type,
        metric_cell.entity_code,
        asked.month_on,
        asked.stratum_code,
        asked.sample_code,
        sum(asked.numerator_factor * metric_cell.measured_value) as numerator,
        sum(asked.plain_factor * metric_cell.measured_value) as plain_numerator,
        sum(asked.denominator_factor * metric_cell.measured_value) as denominator,
        sum(case
            when not asked.is_sampled then 0
            when asked.is_value_counted then metric_cell.measured_value
            else metric_cell.observation_count
        end) as observation_count,
        sum(asked.numerator_factor * asked.numerator_factor * metric_cell.measured_value) as weighted_numerator_sum,
        sum(asked.denominator_factor * asked.denominator_factor * metric_cell.measured_value)
            as weighted_denominator_sum,
        sum(case when asked.is_numerator then metric_cell.square_value end) as numerator_square_sum,
        sum(case when asked.is_numerator then metric_cell.product_value end) as product_sum,
        sum(case when asked.is_numerator then metric_cell.whole_square_value end) as denominator_square_sum
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
            asked.frozen_metric_code = frozen.metric_code
            and asked.entity_type = coalesce(frozen.entity_type, asked.entity_type)
            and metric_cell.entity_code = coalesce(frozen.entity_code, metric_cell.entity_code)
            and asked.observation_kind = frozen.observation_kind
            and {{ metric_freezable_from('metric_cell.observation_kind', 'metric_cell.slice_from_on') }}
            = frozen.freezable_from_on
    where frozen.metric_code is null
    group by
        asked.recipe_number, asked.entity_type, metric_cell.entity_code, asked.month_on, asked.stratum_code,
        asked.sample_code
),

final as (
    select
        version_month.metric_code,
        version_month.metric_version,
        version_month.entity_type,
        recipe_sum.entity_code,
        version_month.month_on,
        recipe_sum.stratum_code,
        recipe_sum.sample_code,
        version_recipe.recipe_number,
        {% for sum in [
            'numerator', 'plain_numerator', 'denominator', 'observation_count', 'weighted_numerator_sum',
            'weighted_denominator_sum',
        ] -%}
        {{ exact_integer_64('recipe_sum.' ~ sum) }} as {{ sum }},
        {% endfor -%}
        recipe_sum.numerator_square_sum,
        recipe_sum.product_sum,
        recipe_sum.denominator_square_sum
    from version_month
    inner join version_recipe
        on
            version_month.metric_code = version_recipe.metric_code
            and version_month.metric_version = version_recipe.metric_version
    inner join recipe_sum
        on
            version_recipe.recipe_number = recipe_sum.recipe_number
            and version_month.entity_type = recipe_sum.entity_type
            and version_month.month_on = recipe_sum.month_on
)

select * from final
