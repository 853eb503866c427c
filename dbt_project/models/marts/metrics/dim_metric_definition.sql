-- Every version of every metric definition, with a hash over all that decides a value. Names, owners,
-- approvals and the end date stay out of the hash: closing a version or mending a name must not look like a
-- new rule.
with metric_definition as (
    select * from {{ ref('metric_definition') }}
),

metric_weight as (
    select * from {{ ref('metric_weight') }}
),

weight_list as (
    select
        metric_code,
        metric_version,
        {{ string_list("cast(priority as varchar) || '=' || cast(weight as varchar)", 'priority') }}
            as priority_weights
    from metric_weight
    group by metric_code, metric_version
),

final as (
    select
        cast(metric_definition.metric_code as varchar) as metric_code,
        cast(metric_definition.metric_version as integer) as metric_version,
        cast(metric_definition.metric_name as varchar) as metric_name,
        cast({{ md5_of([
            'metric_definition.metric_code',
            'metric_definition.metric_version',
            'metric_definition.measure_kind',
            'metric_definition.entity_type',
            'metric_definition.slt_code',
            'metric_definition.exclusion_policy',
            'metric_definition.weighting',
            'metric_definition.min_sample_count',
            'metric_definition.unit',
            'metric_definition.direction',
            'metric_definition.effective_from',
            'weight_list.priority_weights',
        ]) }} as varchar) as definition_hash,
        cast(metric_definition.measure_kind as varchar) as measure_kind,
        cast(metric_definition.entity_type as varchar) as entity_type,
        cast(metric_definition.slt_code as varchar) as slt_code,
        cast(metric_definition.exclusion_policy as varchar) as exclusion_policy,
        cast(metric_definition.weighting as varchar) as weighting,
        cast(weight_list.priority_weights as varchar) as priority_weights,
        cast(metric_definition.min_sample_count as bigint) as min_sample_count,
        cast(metric_definition.unit as varchar) as unit,
        cast(metric_definition.direction as varchar) as direction,
        cast(metric_definition.indicator_type as varchar) as indicator_type,
        metric_definition.owner,
        metric_definition.co_owner,
        cast(metric_definition.effective_from as date) as effective_from,
        cast(metric_definition.effective_to as date) as effective_to,
        cast(metric_definition.notice_on as date) as notice_on,
        cast(metric_definition.approved_by as varchar) as approved_by,
        cast(metric_definition.approved_on as date) as approved_on
    from metric_definition
    left join weight_list
        on
            metric_definition.metric_code = weight_list.metric_code
            and metric_definition.metric_version = weight_list.metric_version
)

select * from final
