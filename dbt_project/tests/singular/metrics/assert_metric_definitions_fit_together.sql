-- A definition whose parts contradict each other computes something nobody defined: each row says what is wrong.
{{ config(meta={'dagster': {'ref': {'name': 'metric_definition'}}}) }}
with definition as (
    select
        metric_definition.*,
        coalesce(metric_definition.denominator_observation_kind, metric_definition.observation_kind) as divided_kind
    from {{ ref('metric_definition') }} as metric_definition
),

side_table as (
    select
        'metric_entity_type' as seed_name,
        metric_code,
        metric_version
    from {{ ref('metric_entity_type') }}
    union all
    select
        'metric_filter' as seed_name,
        metric_code,
        metric_version
    from {{ ref('metric_filter') }}
    union all
    select
        'metric_weight' as seed_name,
        metric_code,
        metric_version
    from {{ ref('metric_weight') }}
    union all
    select
        'metric_replay' as seed_name,
        metric_code,
        metric_version
    from {{ ref('metric_replay') }}
),

entity_type as (
    select distinct
        metric_code,
        metric_version
    from {{ ref('metric_entity_type') }}
),

judged as (
    select
        definition.metric_code,
        definition.metric_version,
        concat_ws(
            '; ',
            case when numerator.measure_code is null then 'numerator_measure is no measure of observation_kind' end,
            case
                when definition.aggregation_kind <> 'sum' and denominator.measure_code is null
                    then 'denominator_measure is no measure of its observation kind'
            end,
            case
                when definition.aggregation_kind = 'sum' and definition.denominator_measure is not null
                    then 'a sum has no denominator_measure'
            end,
            case
                when
                    definition.aggregation_kind in ('mean', 'ratio', 'time_share')
                    and (
                        (numerator.whole_measure is distinct from definition.denominator_measure)
                        or definition.divided_kind <> definition.observation_kind
                        or definition.weighting <> 'none'
                    )
                    then 'a mean, ratio or time_share divides a measure by its whole_measure, unweighted'
            end,
            case
                when (definition.aggregation_kind = 'weighted_share') and definition.weighting = 'none'
                    then 'a weighted_share needs a weighting'
            end,
            case
                when definition.aggregation_kind in ('share', 'rate') and definition.weighting <> 'none'
                    then 'a share or rate is unweighted: use weighted_share or sum'
            end,
            case
                when
                    coalesce(numerator.exclusion_policy, denominator.exclusion_policy, 'none')
                    <> definition.exclusion_policy
                    then 'exclusion_policy is not that of its measures'
            end,
            case
                when (definition.value_basis = 'standardised') <> (definition.standardised_by is not null)
                    and definition.shrinkage_policy = 'none'
                    then 'value_basis and standardised_by disagree'
            end,
            case
                when definition.standardised_by is not null and definition.aggregation_kind in ('sum', 'weighted_share')
                    then 'a sum or a weighted_share is not standardised'
            end,
            case
                when definition.value_basis = 'shrunk' and definition.shrinkage_policy = 'none'
                    then 'value_basis shrunk needs a shrinkage_policy'
            end,
            case
                when (definition.shrinkage_policy = 'none') <> (definition.prior_sample_count = 0)
                    then 'shrinkage_policy and prior_sample_count disagree'
            end,
            case
                when definition.shrinkage_policy <> 'none' and definition.aggregation_kind = 'sum'
                    then 'a sum is not shrunk'
            end,
            case
                when definition.value_basis = 'seasonally_adjusted' and definition.seasonality_policy = 'none'
                    then 'value_basis seasonally_adjusted needs a seasonality_policy'
            end,
            case
                when
                    least(
                        definition.min_sample_count, definition.value_multiplier, definition.value_divisor
                    ) < 1
                    then 'min_sample_count, value_multiplier and value_divisor are at least 1'
            end,
            case
                when least(definition.baseline_days, definition.phase_in_days, definition.prior_sample_count) < 0
                    then 'baseline_days, phase_in_days and prior_sample_count are not negative'
            end,
            case
                when entity_type.metric_code is null
                    then 'no entity type in metric_entity_type'
            end
        ) as what_is_wrong
    from definition
    left join entity_type
        on
            definition.metric_code = entity_type.metric_code
            and definition.metric_version = entity_type.metric_version
    left join {{ ref('metric_measure') }} as numerator
        on
            definition.observation_kind = numerator.observation_kind
            and definition.numerator_measure = numerator.measure_code
    left join {{ ref('metric_measure') }} as denominator
        on
            definition.divided_kind = denominator.observation_kind
            and definition.denominator_measure = denominator.measure_code
),

failure as (
    select
        metric_code,
        metric_version,
        what_is_wrong
    from judged
    where what_is_wrong <> ''

    union all

    select
        side_table.metric_code,
        side_table.metric_version,
        side_table.seed_name || ' has a version that metric_definition lacks' as what_is_wrong
    from side_table
    left join definition
        on
            side_table.metric_code = definition.metric_code
            and side_table.metric_version = definition.metric_version
    where definition.metric_code is null
)

select * from failure
