-- The value of every metric per entity and period, from the sums: raw, standardised, seasonally adjusted and shrunk,
-- with interval, phase and freeze. metric_value is the one the definition's value_basis names, after freezes.
-- A result is told by six columns, most of them text. What is grouped and joined a result at a time goes by numbers in
-- their place (of version, calculation, entity and period), given once to the few there are of each and good within
-- this statement alone; the codes come back in the end. A calculation is what versions of a metric share that take the
-- same of the cells and value it alike, such as one that changed its target and is replayed beside the one in force:
-- its values are computed once.
with metric_definition as (
    select * from {{ ref('int_metric_definition') }}
),

metric_entity_type as (
    select * from {{ ref('metric_entity_type') }}
),

metric_period as (
    select * from {{ ref('int_metric_period') }}
),

-- read several times from the table, which is cheaper than keeping it in memory between
metric_sum as not materialized (
    select * from {{ ref('int_metric_sum') }}
),

seasonal_index as (
    select * from {{ ref('int_seasonal_index') }}
),

metric_freeze as (
    select * from {{ ref('int_metric_freeze') }}
    where is_effective
),

metric_day as (
    select * from {{ ref('int_metric_day') }}
),

team as (
    select * from {{ ref('team') }}
),

service as (
    select * from {{ ref('service') }}
),

business_unit as (
    select * from {{ ref('business_unit') }}
),

vendor_family as (
    select * from {{ ref('int_vendor_family') }}
),

governed_entity as (
    select
        'team' as entity_type,
        team_code as entity_code
    from team
    union all
    select
        'service' as entity_type,
        service_code as entity_code
    from service
    union all
    select
        'business_unit' as entity_type,
        business_unit_code as entity_code
    from business_unit
    union all
    select distinct
        'vendor' as entity_type,
        primary_vendor_code as entity_code
    from vendor_family
),

-- the number of what a version takes of the cells
version_recipe as (
    select
        metric_code,
        metric_version,
        min(recipe_number) as recipe_number
    from metric_sum
    group by metric_code, metric_version
),

-- all that a value depends on but its sums stands in the order of calculation_number; a version without sums is its own
numbered_version as (
    select
        metric_definition.*,
        {{ metric_critical_value('metric_definition.confidence_level') }} as critical_value,
        dense_rank() over (order by metric_definition.metric_code, metric_definition.metric_version) as version_number,
        dense_rank() over (
            order by
                metric_definition.metric_code,
                coalesce(version_recipe.recipe_number, -metric_definition.metric_version),
                metric_definition.aggregation_kind,
                metric_definition.value_basis,
                metric_definition.value_multiplier,
                metric_definition.value_divisor,
                metric_definition.denominator_measure,
                metric_definition.standardised_by,
                metric_definition.sample_dimension,
                metric_definition.shrinkage_policy,
                metric_definition.prior_sample_count,
                metric_definition.min_sample_count,
                metric_definition.confidence_level
        ) as calculation_number
    from metric_definition
    left join version_recipe
        on
            metric_definition.metric_code = version_recipe.metric_code
            and metric_definition.metric_version = version_recipe.metric_version
),

calculation as (
    select distinct
        calculation_number,
        metric_code,
        aggregation_kind,
        value_basis,
        value_multiplier,
        value_divisor,
        denominator_measure,
        standardised_by,
        sample_dimension,
        shrinkage_policy,
        prior_sample_count,
        min_sample_count,
        confidence_level,
        critical_value
    from numbered_version
),

-- an entity that is in no register any more has sums and no result: it counts in what all of its type have together
numbered_entity as (
    select
        entity_type,
        entity_code,
        dense_rank() over (order by entity_type) as type_number,
        row_number() over (order by entity_type, entity_code) as entity_number
    from (
        select
            entity_type,
            entity_code
        from governed_entity
        union distinct
        select
            entity_type,
            entity_code
        from metric_sum
        group by entity_type, entity_code
    ) as entity
),

-- every governed entity has a result, measured or not; a person has one from where a definition measures anything of
-- them
measured_entity as (
    select
        metric_entity_type.metric_code,
        metric_entity_type.metric_version,
        metric_entity_type.entity_type,
        governed_entity.entity_code
    from metric_entity_type
    inner join governed_entity on metric_entity_type.entity_type = governed_entity.entity_type
    union all
    select
        metric_code,
        metric_version,
        entity_type,
        entity_code
    from metric_sum
    where entity_type = 'person'
    group by metric_code, metric_version, entity_type, entity_code
),

version_entity as (
    select
        numbered_version.version_number,
        numbered_version.calculation_number,
        numbered_entity.type_number,
        numbered_entity.entity_number
    from measured_entity
    inner join numbered_version
        on
            measured_entity.metric_code = numbered_version.metric_code
            and measured_entity.metric_version = numbered_version.metric_version
    inner join numbered_entity
        on
            measured_entity.entity_type = numbered_entity.entity_type
            and measured_entity.entity_code = numbered_entity.entity_code
),

numbered_period as (
    select
        *,
        dense_rank() over (order by period_grain, period_start_on) as period_number
    from metric_period
),

numbered_type as (
    select distinct
        entity_type,
        type_number
    from numbered_entity
),

measured_type as (
    select
        metric_code,
        metric_version,
        entity_type
    from metric_entity_type
    union distinct
    select
        metric_code,
        metric_version,
        entity_type
    from metric_sum
    where entity_type = 'person'
    group by metric_code, metric_version, entity_type
),

version_type as (
    select
        numbered_version.version_number,
        numbered_version.calculation_number,
        numbered_type.entity_type,
        numbered_type.type_number
    from measured_type
    inner join numbered_version
        on
            measured_type.metric_code = numbered_version.metric_code
            and measured_type.metric_version = numbered_version.metric_version
    inner join numbered_type on measured_type.entity_type = numbered_type.entity_type
),

-- the periods of a version, of each entity type it is measured in
version_type_period as (
    select
        version_type.version_number,
        version_type.calculation_number,
        version_type.type_number,
        version_type.entity_type,
        row_number() over (
            order by version_type.version_number, version_type.type_number, numbered_period.period_number
        ) as result_group_number,
        numbered_period.*
    from numbered_period
    inner join numbered_version
        on
            numbered_period.metric_code = numbered_version.metric_code
            and numbered_period.metric_version = numbered_version.metric_version
    inner join version_type
        on
            numbered_version.version_number = version_type.version_number
            and version_type.entity_type = coalesce(numbered_period.replayed_entity_type, version_type.entity_type)
),

quarter_month as (
    select {{ number_spine('0', '2') }} as month_number
),

type_month as (
    select
        version_type_period.version_number,
        version_type_period.calculation_number,
        version_type_period.type_number,
        version_type_period.entity_type,
        version_type_period.period_number,
        {{ add_months('version_type_period.period_start_on', 'quarter_month.month_number') }} as month_on
    from version_type_period
    inner join quarter_month on version_type_period.period_grain = 'quarter' or quarter_month.month_number = 0
),

-- versions of one calculation have the same sums in a month: one of them gives it
month_source as (
    select
        calculation_number,
        type_number,
        month_on,
        min(version_number) as version_number
    from type_month
    group by calculation_number, type_number, month_on
),

calculation_month as (
    select distinct
        type_month.calculation_number,
        type_month.period_number,
        calculation.denominator_measure is null as is_count_denominator,
        numbered_version.metric_code,
        numbered_version.metric_version,
        type_month.entity_type,
        type_month.month_on,
        {{ integer_units('seasonal_index.seasonal_factor', 6) }} as seasonal_units
    from type_month
    inner join month_source
        on
            type_month.calculation_number = month_source.calculation_number
            and type_month.type_number = month_source.type_number
            and type_month.month_on = month_source.month_on
    inner join numbered_version on month_source.version_number = numbered_version.version_number
    inner join calculation on type_month.calculation_number = calculation.calculation_number
    left join seasonal_index
        on
            calculation.metric_code = seasonal_index.metric_code
            and type_month.entity_type = seasonal_index.entity_type
            and month(type_month.month_on) = seasonal_index.season_number
),

monthly as (
    select
        calculation_month.calculation_number,
        calculation_month.period_number,
        numbered_entity.entity_number,
        numbered_entity.type_number,
        metric_sum.stratum_code,
        metric_sum.sample_code,
        metric_sum.numerator,
        metric_sum.plain_numerator,
        case
            when calculation_month.is_count_denominator then metric_sum.observation_count
            else metric_sum.denominator
        end as denominator,
        metric_sum.observation_count,
        metric_sum.weighted_numerator_sum,
        metric_sum.weighted_denominator_sum,
        metric_sum.numerator_square_sum,
        metric_sum.denominator_square_sum,
        metric_sum.product_sum,
        calculation_month.seasonal_units
    from metric_sum
    inner join calculation_month
        on
            metric_sum.metric_code = calculation_month.metric_code
            and metric_sum.metric_version = calculation_month.metric_version
            and metric_sum.entity_type = calculation_month.entity_type
            and metric_sum.month_on = calculation_month.month_on
    inner join numbered_entity
        on
            metric_sum.entity_type = numbered_entity.entity_type
            and metric_sum.entity_code = numbered_entity.entity_code
),

period_sum as (
    select
        calculation_number,
        period_number,
        entity_number,
        type_number,
        {% for sum in [
            'numerator', 'plain_numerator', 'denominator', 'observation_count', 'weighted_numerator_sum',
            'weighted_denominator_sum',
        ] -%}
        {{ exact_integer_64('sum(' ~ sum ~ ')') }} as {{ sum }},
        {% endfor -%}
        sum(numerator_square_sum) as numerator_square_sum,
        sum(denominator_square_sum) as denominator_square_sum,
        sum(product_sum) as product_sum,
        -- the season of a period is that of its months, each as heavy as what was measured in it
        case
            when bool_and(denominator = 0 or seasonal_units is not null)
                then {{ round_half_up_integer('sum(denominator * seasonal_units)', 'sum(denominator)') }}
        end as seasonal_units
    from monthly
    group by calculation_number, period_number, entity_number, type_number
),

sample_sum as (
    select
        calculation_number,
        period_number,
        entity_number,
        count(distinct sample_code) as distinct_sample_count
    from monthly
    where sample_code <> '' and observation_count > 0
    group by calculation_number, period_number, entity_number
),

stratum_sum as (
    select
        calculation_number,
        period_number,
        entity_number,
        type_number,
        stratum_code,
        sum(numerator) as numerator,
        sum(denominator) as denominator
    from monthly
    where stratum_code <> ''
    group by calculation_number, period_number, entity_number, type_number, stratum_code
),

-- the reference: all entities of the type in the period, a stratum at a time
stratum_reference as (
    select
        calculation_number,
        period_number,
        type_number,
        stratum_code,
        {{ round_half_up_integer(exact_integer('sum(numerator)') ~ ' * 1000000000000', 'sum(denominator)') }}
            as reference_units
    from stratum_sum
    group by calculation_number, period_number, type_number, stratum_code
),

-- a stratum in which the reference has no denominator can bring none of its own
expected as (
    select
        stratum_sum.calculation_number,
        stratum_sum.period_number,
        stratum_sum.entity_number,
        sum({{ exact_integer('stratum_sum.denominator') }} * coalesce(stratum_reference.reference_units, 0))
            as expected_units
    from stratum_sum
    inner join stratum_reference
        on
            stratum_sum.calculation_number = stratum_reference.calculation_number
            and stratum_sum.period_number = stratum_reference.period_number
            and stratum_sum.type_number = stratum_reference.type_number
            and stratum_sum.stratum_code = stratum_reference.stratum_code
    group by stratum_sum.calculation_number, stratum_sum.period_number, stratum_sum.entity_number
),

pool_sum as (
    select
        calculation_number,
        period_number,
        type_number,
        sum(numerator) as pool_numerator,
        sum(denominator) as pool_denominator
    from period_sum
    group by calculation_number, period_number, type_number
),

-- what is the same for all entities of a type is computed once
pool as (
    select
        pool_sum.*,
        {{ round_half_up_integer(
            exact_integer('pool_sum.pool_numerator') ~ ' * 1000000000000', 'pool_sum.pool_denominator'
        ) }} as reference_units,
        -- a total has no mean over entities that would say what to expect of one
        case
            when calculation.aggregation_kind <> 'sum'
                then {{ metric_units('pool_sum.pool_numerator', 'pool_sum.pool_denominator') }}
        end as mean_units
    from pool_sum
    inner join calculation on pool_sum.calculation_number = calculation.calculation_number
),

valued_pool as (
    select
        *,
        {{ metric_decimal('mean_units') }} as reference_value
    from pool
),

first_in_force as (
    select
        metric_code,
        metric_version,
        min(effective_from) as effective_from
    from metric_period
    where is_in_force
    group by metric_code, metric_version
),

version_period as (
    select
        version_type_period.result_group_number,
        version_type_period.version_number,
        version_type_period.calculation_number,
        version_type_period.type_number,
        version_type_period.period_number,
        numbered_version.metric_code,
        numbered_version.metric_version,
        numbered_version.definition_hash,
        numbered_version.aggregation_kind,
        numbered_version.value_basis,
        numbered_version.confidence_level,
        numbered_version.phase_in_days,
        numbered_version.unit,
        numbered_version.direction,
        version_type_period.entity_type,
        version_type_period.period_grain,
        version_type_period.period_start_on,
        version_type_period.period_end_on,
        version_type_period.is_complete,
        version_type_period.is_in_force,
        case when version_type_period.is_in_force then 0 else version_type_period.metric_version end as series_number,
        -- days of the ramp reached on the period's first and last day; the share is the mean of the period's days
        {{ day_count(
            'coalesce(first_in_force.effective_from, numbered_version.effective_from)',
            'version_type_period.period_start_on'
        ) }} - numbered_version.baseline_days + 1 as first_ramp_day_number,
        {{ day_count(
            'coalesce(first_in_force.effective_from, numbered_version.effective_from)',
            'version_type_period.period_end_on'
        ) }} - numbered_version.baseline_days as last_ramp_day_number,
        {{ day_count('version_type_period.period_start_on', 'version_type_period.period_end_on') }} as period_days
    from version_type_period
    inner join numbered_version on version_type_period.version_number = numbered_version.version_number
    left join first_in_force
        on
            numbered_version.metric_code = first_in_force.metric_code
            and numbered_version.metric_version = first_in_force.metric_version
),

ramped_period as (
    select
        *,
        case when first_ramp_day_number > 1 then first_ramp_day_number else 1 end as ramp_from_number,
        case when last_ramp_day_number < phase_in_days then last_ramp_day_number else phase_in_days end
            as ramp_to_number,
        greatest(last_ramp_day_number - greatest(first_ramp_day_number, phase_in_days + 1) + 1, 0) as live_days
    from version_period
),

phased_period as (
    select
        *,
        case
            when phase_in_days = 0 and first_ramp_day_number > 0 then 'live'
            when first_ramp_day_number <= 0 then 'baseline'
            when first_ramp_day_number <= phase_in_days then 'phase_in'
            else 'live'
        end as phase,
        -- in days of the ramp: 1 + 2 + ... over the days inside it, a whole ramp for each day beyond
        case
            when phase_in_days = 0 then {{ round_half_up_ratio('live_days', 'period_days', 6) }}
            else {{ round_half_up_ratio(
                'case when ramp_to_number >= ramp_from_number then (ramp_to_number - ramp_from_number + 1) '
                ~ '* (ramp_to_number + ramp_from_number) else 0 end + 2 * phase_in_days * live_days',
                '2 * phase_in_days * period_days', 6
            ) }}
        end as phase_share
    from ramped_period
),

-- what a calculation has a value of: in each of its periods all that any of its versions measures
calculation_entity as (
    select distinct
        calculation_number,
        type_number,
        entity_number
    from version_entity
),

calculation_period as (
    select distinct
        calculation_number,
        type_number,
        period_number
    from version_type_period
),

measured as (
    select
        calculation_period.calculation_number,
        calculation_period.period_number,
        calculation_entity.entity_number,
        calculation.aggregation_kind,
        calculation.value_basis,
        calculation.value_multiplier,
        calculation.value_divisor,
        calculation.standardised_by,
        calculation.shrinkage_policy,
        calculation.prior_sample_count,
        calculation.min_sample_count,
        calculation.critical_value,
        coalesce(period_sum.numerator, 0) as numerator,
        coalesce(period_sum.plain_numerator, 0) as plain_numerator,
        coalesce(period_sum.denominator, 0) as denominator,
        coalesce(period_sum.observation_count, 0) as observation_count,
        coalesce(
            case
                when calculation.sample_dimension is null then period_sum.observation_count
                else sample_sum.distinct_sample_count
            end, 0
        ) as sample_count,
        period_sum.weighted_numerator_sum,
        period_sum.weighted_denominator_sum,
        period_sum.numerator_square_sum,
        period_sum.denominator_square_sum,
        period_sum.product_sum,
        period_sum.seasonal_units,
        expected.expected_units,
        valued_pool.reference_units,
        valued_pool.mean_units,
        valued_pool.reference_value
    from calculation_period
    inner join calculation on calculation_period.calculation_number = calculation.calculation_number
    inner join calculation_entity
        on
            calculation_period.calculation_number = calculation_entity.calculation_number
            and calculation_period.type_number = calculation_entity.type_number
    {% for sums in ['period_sum', 'sample_sum', 'expected'] -%}
    left join {{ sums }}
        on
            calculation_period.calculation_number = {{ sums }}.calculation_number
            and calculation_period.period_number = {{ sums }}.period_number
            and calculation_entity.entity_number = {{ sums }}.entity_number
    {% endfor -%}
    left join valued_pool
        on
            calculation_period.calculation_number = valued_pool.calculation_number
            and calculation_period.period_number = valued_pool.period_number
            and calculation_period.type_number = valued_pool.type_number
),

valued as (
    select
        *,
        sample_count < min_sample_count or denominator <= 0 as is_insufficient,
        case aggregation_kind
            {% for kind in metric_kinds() -%}
            when '{{ kind }}' then {{ metric_value_of(kind) }}
            {% endfor -%}
        end as raw_units,
        {% for side, name in {-1: 'lower', 1: 'upper'}.items() -%}
        case aggregation_kind
            {% for kind in metric_kinds() -%}
            when '{{ kind }}' then {{ metric_bound_of(kind, side) }}
            {% endfor -%}
        end as {{ name }}_bound,
        {% endfor -%}
        case
            when standardised_by is not null
                then {{ metric_standardised('numerator', 'expected_units', 'reference_units') }}
        end as standardised_units
    from measured
),

adjusted as (
    select
        *,
        case
            when seasonal_units > 0 then {{ round_half_up_integer('raw_units * 1000000', 'seasonal_units') }}
        end as seasonally_adjusted_units,
        case
            when shrinkage_policy = 'buehlmann' then {{ metric_shrunk(
                'case when standardised_by is null then raw_units else standardised_units end', 'mean_units',
                'sample_count', 'prior_sample_count'
            ) }}
        end as shrunk_units
    from valued
),

-- each of the values rounded once; the one that counts is one of them
rounded as (
    select
        *,
    {% for units in ['raw', 'standardised', 'seasonally_adjusted', 'shrunk'] -%}
    {{ metric_decimal('case when not is_insufficient then ' ~ units ~ '_units end') }}
        as {{ units }}_value{{ ',' if not loop.last }}
    {% endfor -%}
    from adjusted
),

-- the value that counts, and beside it all that is published of a value
chosen as (
    select
        calculation_number,
        period_number,
        entity_number,
        numerator,
        denominator,
        sample_count,
        case value_basis
            when 'raw' then raw_value
            when 'standardised' then standardised_value
            when 'seasonally_adjusted' then seasonally_adjusted_value
            when 'shrunk' then shrunk_value
        end as chosen_value,
        raw_value,
        standardised_value,
        {{ metric_decimal('case when standardised_by is not null then expected_units end') }} as expected_value,
        reference_value,
        {{ from_integer_units('seasonal_units', 6) }} as seasonal_factor,
        seasonally_adjusted_value,
        case
            when shrinkage_policy = 'buehlmann'
                then {{ round_half_up_ratio('sample_count', 'sample_count + prior_sample_count', 6) }}
        end as credibility_share,
        shrunk_value,
    {% for bound in ['lower', 'upper'] -%}
    {{ decimal_of(
        'case when not is_insufficient then ' ~ bound ~ '_bound * case when standardised_by is null then 1 else '
        ~ float_ratio(float_of('reference_units') ~ ' * ' ~ float_of('denominator'), 'expected_units') ~ ' end end'
    ) }} as confidence_{{ bound }}_value{{ ',' if not loop.last }}
    {% endfor -%}
    from rounded
),

frozen_day as (
    select distinct
        metric_freeze.metric_code,
        metric_freeze.entity_type,
        metric_freeze.entity_code,
        metric_freeze.freeze_policy,
        metric_freeze.freeze_id,
        metric_day.day_on,
        metric_day.month_on
    from metric_freeze
    inner join metric_day on metric_day.day_on between metric_freeze.frozen_from_on and metric_freeze.frozen_to_on
),

-- a freeze that touches a period touches its one value; where several do, the strictest decides
freeze_of as (
    select
        phased_period.result_group_number,
        version_entity.entity_number,
        case
            when bool_or(frozen_day.freeze_policy = 'suspend') then 'suspended'
            when bool_or(frozen_day.freeze_policy = 'carry') then 'carried'
            else 'excluded'
        end as freeze_status,
        count(distinct frozen_day.day_on) as frozen_days,
        min(frozen_day.freeze_id) as first_freeze_id
    from phased_period
    inner join frozen_day
        on
            phased_period.metric_code = frozen_day.metric_code
            and phased_period.entity_type = coalesce(frozen_day.entity_type, phased_period.entity_type)
            and phased_period.period_start_on = case phased_period.period_grain
                when 'month' then frozen_day.month_on
                else {{ quarter_start('frozen_day.month_on') }}
            end
    inner join version_entity
        on
            phased_period.version_number = version_entity.version_number
            and phased_period.type_number = version_entity.type_number
    inner join numbered_entity
        on
            version_entity.entity_number = numbered_entity.entity_number
            and numbered_entity.entity_code = coalesce(frozen_day.entity_code, numbered_entity.entity_code)
    group by phased_period.result_group_number, version_entity.entity_number
),

-- few values are carried: only the series of those are searched for what was last measured
carried as (
    select
        freeze_of.result_group_number,
        freeze_of.entity_number,
        max_by(chosen.chosen_value, earlier.period_start_on) as carried_value,
        max(earlier.period_start_on) as last_unfrozen_on
    from freeze_of
    inner join phased_period on freeze_of.result_group_number = phased_period.result_group_number
    inner join phased_period as earlier
        on
            phased_period.metric_code = earlier.metric_code
            and phased_period.series_number = earlier.series_number
            and phased_period.type_number = earlier.type_number
            and phased_period.period_grain = earlier.period_grain
            and phased_period.period_start_on > earlier.period_start_on
    left join chosen
        on
            earlier.calculation_number = chosen.calculation_number
            and earlier.period_number = chosen.period_number
            and freeze_of.entity_number = chosen.entity_number
    left join freeze_of as earlier_freeze
        on
            earlier.result_group_number = earlier_freeze.result_group_number
            and freeze_of.entity_number = earlier_freeze.entity_number
    where
        freeze_of.freeze_status = 'carried'
        and earlier.is_complete
        and coalesce(earlier_freeze.freeze_status, 'none') in ('none', 'excluded')
        and chosen.chosen_value is not null
    group by freeze_of.result_group_number, freeze_of.entity_number
),

-- one row per result, in numbers
result_key as (
    select
        phased_period.result_group_number,
        phased_period.calculation_number,
        phased_period.period_number,
        version_entity.entity_number
    from phased_period
    inner join version_entity
        on
            phased_period.version_number = version_entity.version_number
            and phased_period.type_number = version_entity.type_number
),

-- every result has its group, its entity and its values; left joins keep the engine from joining these among themselves
settled as (
    select
        phased_period.metric_code,
        phased_period.metric_version,
        phased_period.definition_hash,
        phased_period.is_in_force,
        phased_period.aggregation_kind,
        phased_period.value_basis,
        phased_period.unit,
        phased_period.direction,
        phased_period.entity_type,
        numbered_entity.entity_code,
        phased_period.period_grain,
        phased_period.period_start_on,
        phased_period.period_end_on,
        phased_period.is_complete,
        phased_period.confidence_level,
        phased_period.phase,
        phased_period.phase_share,
        chosen.*,
        case coalesce(freeze_of.freeze_status, 'none')
            when 'suspended' then null
            when 'carried' then carried.carried_value
            else chosen.chosen_value
        end as metric_value,
        coalesce(freeze_of.freeze_status, 'none') as freeze_status,
        coalesce(freeze_of.frozen_days, 0) as frozen_days,
        freeze_of.first_freeze_id as freeze_id,
        carried.last_unfrozen_on
    from result_key
    left join chosen
        on
            result_key.calculation_number = chosen.calculation_number
            and result_key.period_number = chosen.period_number
            and result_key.entity_number = chosen.entity_number
    left join phased_period on result_key.result_group_number = phased_period.result_group_number
    left join numbered_entity on result_key.entity_number = numbered_entity.entity_number
    {% for freezing in ['freeze_of', 'carried'] -%}
    left join {{ freezing }}
        on
            result_key.result_group_number = {{ freezing }}.result_group_number
            and result_key.entity_number = {{ freezing }}.entity_number
    {% endfor -%}
),

final as (
    select
        metric_code,
        metric_version,
        definition_hash,
        is_in_force,
        aggregation_kind,
        value_basis,
        unit,
        direction,
        entity_type,
        entity_code,
        period_grain,
        period_start_on,
        period_end_on,
        numerator,
        denominator,
        metric_value,
        sample_count,
        case
            when not is_complete then 'provisional'
            when freeze_status = 'suspended' then 'suspended'
            when metric_value is null then 'insufficient_data'
            else 'ok'
        end as result_status,
        raw_value,
        standardised_value,
        expected_value,
        reference_value,
        seasonal_factor,
        seasonally_adjusted_value,
        credibility_share,
        shrunk_value,
        confidence_lower_value,
        confidence_upper_value,
        confidence_level as confidence_share,
        phase,
        phase_share,
        freeze_status,
        frozen_days,
        freeze_id,
        case when freeze_status = 'carried' then last_unfrozen_on end as carried_from_on
    from settled
)

select * from final
