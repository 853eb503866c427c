-- Every version of every metric definition with its side tables told as text, and the hash over all that decides a
-- value: its own fields, entity types, filters, weights, and the code that computes its kind. Names, owners,
-- approvals, the end date and how it is read stay out of the hash: closing a version or mending a name is no new rule.
with metric_definition as (
    select * from {{ ref('metric_definition') }}
),

metric_entity_type as (
    select * from {{ ref('metric_entity_type') }}
),

metric_filter as (
    select * from {{ ref('metric_filter') }}
),

metric_weight as (
    select * from {{ ref('metric_weight') }}
),

entity_list as (
    select
        metric_code,
        metric_version,
        {{ string_list('entity_type', 'entity_type') }} as entity_types
    from metric_entity_type
    group by metric_code, metric_version
),

filter_list as (
    select
        metric_code,
        metric_version,
        {{ string_list(
            "applies_to || ' ' || dimension_code || case when is_excluded then ' not in ' else ' in ' end || dimension_values",
            'applies_to, dimension_code, dimension_values'
        ) }} as filter_text
    from metric_filter
    group by metric_code, metric_version
),

weight_list as (
    select
        metric_code,
        metric_version,
        {{ string_list("dimension_value || '=' || cast(weight as varchar)", 'dimension_code, dimension_value') }}
            as weight_text
    from metric_weight
    group by metric_code, metric_version
),

described as (
    select
        metric_definition.*,
        coalesce(metric_definition.denominator_observation_kind, metric_definition.observation_kind)
            as denominator_kind,
        entity_list.entity_types,
        filter_list.filter_text,
        weight_list.weight_text,
        case metric_definition.aggregation_kind
            {% for kind in metric_kinds() -%}
            when '{{ kind }}' then '{{ metric_kind_fingerprint(kind) }}'
            {% endfor -%}
        end as code_fingerprint
    from metric_definition
    left join entity_list
        on
            metric_definition.metric_code = entity_list.metric_code
            and metric_definition.metric_version = entity_list.metric_version
    left join filter_list
        on
            metric_definition.metric_code = filter_list.metric_code
            and metric_definition.metric_version = filter_list.metric_version
    left join weight_list
        on
            metric_definition.metric_code = weight_list.metric_code
            and metric_definition.metric_version = weight_list.metric_version
),

final as (
    select
        metric_code,
        metric_version,
        {{ md5_of([
            'metric_code', 'metric_version', 'aggregation_kind', 'observation_kind', 'numerator_measure',
            'denominator_kind', 'denominator_measure', 'exclusion_policy', 'weighting', 'standardised_by',
            'sample_dimension', 'value_basis', 'value_multiplier', 'value_divisor', 'seasonality_policy',
            'shrinkage_policy', 'prior_sample_count', 'confidence_level', 'min_sample_count', 'baseline_days',
            'phase_in_days', 'unit', 'direction', 'effective_from', 'entity_types', 'filter_text', 'weight_text',
            'code_fingerprint',
        ]) }} as definition_hash,
        code_fingerprint,
        metric_name,
        aggregation_kind,
        observation_kind,
        numerator_measure,
        denominator_kind,
        denominator_measure,
        exclusion_policy,
        weighting,
        standardised_by,
        sample_dimension,
        value_basis,
        value_multiplier,
        value_divisor,
        seasonality_policy,
        shrinkage_policy,
        prior_sample_count,
        confidence_level,
        min_sample_count,
        baseline_days,
        phase_in_days,
        unit,
        direction,
        indicator_type,
        business_outcome_code,
        owner,
        co_owner,
        review_cycle_months,
        entity_types,
        filter_text,
        weight_text,
        effective_from,
        effective_to,
        notice_on,
        approved_by,
        approved_on
    from described
)

select * from final
