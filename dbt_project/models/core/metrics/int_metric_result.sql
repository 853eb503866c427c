-- The value of every metric per entity and period, from the sums: raw, standardised, seasonally adjusted and shrunk,
-- with interval, phase and freeze. metric_value is the one the definition's value_basis names, after freezes.
with metric_definition as (
    select * from {{ ref('int_metric_definition') }}
),

metric_entity_type as (
    select * from {{ ref('metric_entity_type') }}
),

metric_period as (
    select * from {{ ref('int_metric_period') }}
),

metric_sum as (
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
    select distinct
        metric_code,
        metric_version,
        entity_type,
        entity_code
    from metric_sum
    where entity_type = 'person'
),

quarter_month as (
    select {{ number_spine('0', '2') }} as month_number
),

period_month as (
    select
        metric_period.metric_code,
        metric_period.metric_version,
        metric_period.period_grain,
        metric_period.period_start_on,
        {{ add_months('metric_period.period_start_on', 'quarter_month.month_number') }} as month_on
    from metric_period
    inner join quarter_month on metric_period.period_grain = 'quarter' or quarter_month.month_number = 0
),

monthly as (
    select
        period_month.period_grain,
        period_month.period_start_on,
        metric_sum.metric_code,
        metric_sum.metric_version,
        metric_sum.entity_type,
        metric_sum.entity_code,
        metric_sum.month_on,
        metric_sum.stratum_code,
        metric_sum.sample_code,
        metric_sum.numerator,
        metric_sum.plain_numerator,
        case
            when metric_definition.denominator_measure is null then metric_sum.observation_count
            else metric_sum.denominator
        end as denominator,
        metric_sum.observation_count,
        metric_sum.weighted_numerator_sum,
        metric_sum.weighted_denominator_sum,
        metric_sum.numerator_square_sum,
        metric_sum.denominator_square_sum,
        metric_sum.product_sum,
        {{ integer_units('seasonal_index.seasonal_factor', 6) }} as seasonal_units
    from metric_sum
    inner join metric_definition
        on
            metric_sum.metric_code = metric_definition.metric_code
            and metric_sum.metric_version = metric_definition.metric_version
    inner join period_month
        on
            metric_sum.metric_code = period_month.metric_code
            and metric_sum.metric_version = period_month.metric_version
            and metric_sum.month_on = period_month.month_on
    left join seasonal_index
        on
            metric_sum.metric_code = seasonal_index.metric_code
            and metric_sum.entity_type = seasonal_index.entity_type
            and month(metric_sum.month_on) = seasonal_index.season_number
),

period_sum as (
    select
        metric_code,
        metric_version,
        entity_type,
        entity_code,
        period_grain,
        period_start_on,
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
    group by metric_code, metric_version, entity_type, entity_code, period_grain, period_start_on
),

sample_sum as (
    select
        metric_code,
        metric_version,
        entity_type,
        entity_code,
        period_grain,
        period_start_on,
        count(distinct sample_code) as distinct_sample_count
    from monthly
    where sample_code <> '' and observation_count > 0
    group by metric_code, metric_version, entity_type, entity_code, period_grain, period_start_on
),

stratum_sum as (
    select
        metric_code,
        metric_version,
        entity_type,
        entity_code,
        period_grain,
        period_start_on,
        stratum_code,
        sum(denominator) as denominator
    from monthly
    where stratum_code <> ''
    group by metric_code, metric_version, entity_type, entity_code, period_grain, period_start_on, stratum_code
),

-- the reference: all entities of the type in the period, a stratum at a time
stratum_reference as (
    select
        metric_code,
        metric_version,
        entity_type,
        period_grain,
        period_start_on,
        stratum_code,
        {{ round_half_up_integer(exact_integer('sum(numerator)') ~ ' * 1000000000000', 'sum(denominator)') }}
            as reference_units
    from monthly
    where stratum_code <> ''
    group by metric_code, metric_version, entity_type, period_grain, period_start_on, stratum_code
),

-- a stratum in which the reference has no denominator can bring none of its own
expected as (
    select
        stratum_sum.metric_code,
        stratum_sum.metric_version,
        stratum_sum.entity_type,
        stratum_sum.entity_code,
        stratum_sum.period_grain,
        stratum_sum.period_start_on,
        sum({{ exact_integer('stratum_sum.denominator') }} * coalesce(stratum_reference.reference_units, 0))
            as expected_units
    from stratum_sum
    inner join stratum_reference
        on
            stratum_sum.metric_code = stratum_reference.metric_code
            and stratum_sum.metric_version = stratum_reference.metric_version
            and stratum_sum.entity_type = stratum_reference.entity_type
            and stratum_sum.period_grain = stratum_reference.period_grain
            and stratum_sum.period_start_on = stratum_reference.period_start_on
            and stratum_sum.stratum_code = stratum_reference.stratum_code
    group by
        stratum_sum.metric_code, stratum_sum.metric_version, stratum_sum.entity_type, stratum_sum.entity_code,
        stratum_sum.period_grain, stratum_sum.period_start_on
),

pool_sum as (
    select
        metric_code,
        metric_version,
        entity_type,
        period_grain,
        period_start_on,
        sum(numerator) as pool_numerator,
        sum(denominator) as pool_denominator
    from period_sum
    group by metric_code, metric_version, entity_type, period_grain, period_start_on
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
            when metric_definition.aggregation_kind <> 'sum'
                then {{ metric_units('pool_sum.pool_numerator', 'pool_sum.pool_denominator') }}
        end as mean_units
    from pool_sum
    inner join metric_definition
        on
            pool_sum.metric_code = metric_definition.metric_code
            and pool_sum.metric_version = metric_definition.metric_version
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
        metric_definition.metric_code,
        metric_definition.metric_version,
        metric_definition.definition_hash,
        metric_definition.aggregation_kind,
        metric_definition.value_basis,
        metric_definition.value_multiplier,
        metric_definition.value_divisor,
        metric_definition.standardised_by,
        metric_definition.sample_dimension,
        metric_definition.shrinkage_policy,
        metric_definition.prior_sample_count,
        metric_definition.min_sample_count,
        metric_definition.confidence_level,
        metric_definition.phase_in_days,
        metric_definition.unit,
        metric_definition.direction,
        {{ metric_critical_value('metric_definition.confidence_level') }} as critical_value,
        metric_period.period_grain,
        metric_period.period_start_on,
        metric_period.period_end_on,
        metric_period.is_complete,
        metric_period.is_in_force,
        metric_period.replayed_entity_type,
        -- days of the ramp reached on the period's first and last day; the share is the mean of the period's days
        {{ day_count(
            'coalesce(first_in_force.effective_from, metric_definition.effective_from)', 'metric_period.period_start_on'
        ) }} - metric_definition.baseline_days + 1 as first_ramp_day_number,
        {{ day_count(
            'coalesce(first_in_force.effective_from, metric_definition.effective_from)', 'metric_period.period_end_on'
        ) }} - metric_definition.baseline_days as last_ramp_day_number,
        {{ day_count('metric_period.period_start_on', 'metric_period.period_end_on') }} as period_days
    from metric_definition
    inner join metric_period
        on
            metric_definition.metric_code = metric_period.metric_code
            and metric_definition.metric_version = metric_period.metric_version
    left join first_in_force
        on
            metric_definition.metric_code = first_in_force.metric_code
            and metric_definition.metric_version = first_in_force.metric_version
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

measured as (
    select
        phased_period.metric_code,
        phased_period.metric_version,
        phased_period.definition_hash,
        phased_period.aggregation_kind,
        phased_period.value_basis,
        phased_period.value_multiplier,
        phased_period.value_divisor,
        phased_period.standardised_by,
        phased_period.shrinkage_policy,
        phased_period.prior_sample_count,
        phased_period.min_sample_count,
        phased_period.confidence_level,
        phased_period.unit,
        phased_period.direction,
        phased_period.critical_value,
        measured_entity.entity_type,
        measured_entity.entity_code,
        phased_period.period_grain,
        phased_period.period_start_on,
        phased_period.period_end_on,
        phased_period.is_complete,
        phased_period.is_in_force,
        phased_period.phase,
        phased_period.phase_share,
        coalesce(period_sum.numerator, 0) as numerator,
        coalesce(period_sum.plain_numerator, 0) as plain_numerator,
        coalesce(period_sum.denominator, 0) as denominator,
        coalesce(period_sum.observation_count, 0) as observation_count,
        coalesce(
            case
                when phased_period.sample_dimension is null then period_sum.observation_count
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
    from phased_period
    inner join measured_entity
        on
            phased_period.metric_code = measured_entity.metric_code
            and phased_period.metric_version = measured_entity.metric_version
            and measured_entity.entity_type
            = coalesce(phased_period.replayed_entity_type, measured_entity.entity_type)
    {% for sums in ['period_sum', 'sample_sum', 'expected'] -%}
    left join {{ sums }}
        on
            phased_period.metric_code = {{ sums }}.metric_code
            and phased_period.metric_version = {{ sums }}.metric_version
            and measured_entity.entity_type = {{ sums }}.entity_type
            and measured_entity.entity_code = {{ sums }}.entity_code
            and phased_period.period_grain = {{ sums }}.period_grain
            and phased_period.period_start_on = {{ sums }}.period_start_on
    {% endfor -%}
    left join valued_pool
        on
            phased_period.metric_code = valued_pool.metric_code
            and phased_period.metric_version = valued_pool.metric_version
            and measured_entity.entity_type = valued_pool.entity_type
            and phased_period.period_grain = valued_pool.period_grain
            and phased_period.period_start_on = valued_pool.period_start_on
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

chosen as (
    select
        *,
        case value_basis
            when 'raw' then raw_value
            when 'standardised' then standardised_value
            when 'seasonally_adjusted' then seasonally_adjusted_value
            when 'shrunk' then shrunk_value
        end as chosen_value,
        case when is_in_force then 0 else metric_version end as series_number
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
        metric_period.metric_code,
        metric_period.metric_version,
        measured_entity.entity_type,
        measured_entity.entity_code,
        metric_period.period_grain,
        metric_period.period_start_on,
        case
            when bool_or(frozen_day.freeze_policy = 'suspend') then 'suspended'
            when bool_or(frozen_day.freeze_policy = 'carry') then 'carried'
            else 'excluded'
        end as freeze_status,
        count(distinct frozen_day.day_on) as frozen_days,
        min(frozen_day.freeze_id) as first_freeze_id
    from metric_period
    inner join frozen_day
        on
            metric_period.metric_code = frozen_day.metric_code
            and metric_period.period_start_on = case metric_period.period_grain
                when 'month' then frozen_day.month_on
                else {{ quarter_start('frozen_day.month_on') }}
            end
    inner join measured_entity
        on
            metric_period.metric_code = measured_entity.metric_code
            and metric_period.metric_version = measured_entity.metric_version
            and measured_entity.entity_type = coalesce(frozen_day.entity_type, measured_entity.entity_type)
            and measured_entity.entity_code = coalesce(frozen_day.entity_code, measured_entity.entity_code)
    group by
        metric_period.metric_code, metric_period.metric_version, measured_entity.entity_type,
        measured_entity.entity_code, metric_period.period_grain, metric_period.period_start_on
),

frozen as (
    select
        chosen.*,
        coalesce(freeze_of.freeze_status, 'none') as freeze_status,
        coalesce(freeze_of.frozen_days, 0) as frozen_days,
        freeze_of.first_freeze_id as freeze_id
    from chosen
    left join freeze_of
        on
            chosen.metric_code = freeze_of.metric_code
            and chosen.metric_version = freeze_of.metric_version
            and chosen.entity_type = freeze_of.entity_type
            and chosen.entity_code = freeze_of.entity_code
            and chosen.period_grain = freeze_of.period_grain
            and chosen.period_start_on = freeze_of.period_start_on
),

-- few values are carried: only the series of those are searched for what was last measured
carried as (
    select
        carried_value.metric_code,
        carried_value.metric_version,
        carried_value.entity_type,
        carried_value.entity_code,
        carried_value.period_grain,
        carried_value.period_start_on,
        max_by(earlier.chosen_value, earlier.period_start_on) as carried_value,
        max(earlier.period_start_on) as last_unfrozen_on
    from frozen as carried_value
    inner join frozen as earlier
        on
            carried_value.metric_code = earlier.metric_code
            and carried_value.series_number = earlier.series_number
            and carried_value.entity_type = earlier.entity_type
            and carried_value.entity_code = earlier.entity_code
            and carried_value.period_grain = earlier.period_grain
            and carried_value.period_start_on > earlier.period_start_on
    where
        carried_value.freeze_status = 'carried'
        and earlier.is_complete
        and earlier.freeze_status in ('none', 'excluded')
        and earlier.chosen_value is not null
    group by
        carried_value.metric_code, carried_value.metric_version, carried_value.entity_type,
        carried_value.entity_code, carried_value.period_grain, carried_value.period_start_on
),

settled as (
    select
        frozen.*,
        carried.last_unfrozen_on,
        case frozen.freeze_status
            when 'suspended' then null
            when 'carried' then carried.carried_value
            else frozen.chosen_value
        end as metric_value
    from frozen
    left join carried
        on
            frozen.metric_code = carried.metric_code
            and frozen.metric_version = carried.metric_version
            and frozen.entity_type = carried.entity_type
            and frozen.entity_code = carried.entity_code
            and frozen.period_grain = carried.period_grain
            and frozen.period_start_on = carried.period_start_on
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
        {{ metric_decimal('case when standardised_by is not null then expected_units end') }} as expected_value,
        reference_value,
        {{ from_integer_units('seasonal_units', 6) }} as seasonal_factor,
        seasonally_adjusted_value,
        case
            when shrinkage_policy = 'buehlmann'
                then {{ round_half_up_ratio('sample_count', 'sample_count + prior_sample_count', 6) }}
        end as credibility_share,
        shrunk_value,
        {{ decimal_of(
            'case when not is_insufficient then lower_bound * case when standardised_by is null then 1 else '
            ~ float_ratio(float_of('reference_units') ~ ' * ' ~ float_of('denominator'), 'expected_units') ~ ' end end'
        ) }} as confidence_lower_value,
        {{ decimal_of(
            'case when not is_insufficient then upper_bound * case when standardised_by is null then 1 else '
            ~ float_ratio(float_of('reference_units') ~ ' * ' ~ float_of('denominator'), 'expected_units') ~ ' end end'
        ) }} as confidence_upper_value,
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
