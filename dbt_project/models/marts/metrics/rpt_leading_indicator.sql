-- Whether what is held to lead does: each relation's leading result of a period against the lagging result of the same
-- entity so many periods later. Both are taken about the entity's own mean, so that an entity that is good at both
-- makes no relation; the interval is Fisher's on the pairs less one for each further entity.
with indicator_relation as (
    select * from {{ ref('indicator_relation') }}
),

metric_result as (
    select * from {{ ref('fct_metric_result') }}
    where result_status = 'ok' and entity_type <> 'person'
),

pair as (
    select
        indicator_relation.relation_code,
        earlier.entity_code,
        earlier.period_start_on,
        {{ float_of('earlier.metric_value') }} as leading_reading,
        {{ float_of('later.metric_value') }} as lagging_reading
    from indicator_relation
    inner join metric_result as earlier
        on
            indicator_relation.leading_metric_code = earlier.metric_code
            and indicator_relation.entity_type = earlier.entity_type
            and indicator_relation.period_grain = earlier.period_grain
    inner join metric_result as later
        on
            indicator_relation.lagging_metric_code = later.metric_code
            and earlier.entity_type = later.entity_type
            and earlier.entity_code = later.entity_code
            and earlier.period_grain = later.period_grain
            and later.period_start_on = case indicator_relation.period_grain
                when 'month' then {{ add_months('earlier.period_start_on', 'indicator_relation.lag_period_count') }}
                else {{ add_months('earlier.period_start_on', '3 * indicator_relation.lag_period_count') }}
            end
),

deviation as (
    select
        relation_code,
        entity_code,
        leading_reading - {{ mean_of('leading_reading') }} over own as leading_deviation,
        lagging_reading - {{ mean_of('lagging_reading') }} over own as lagging_deviation
    from pair
    window own as (partition by relation_code, entity_code)
),

summed as (
    select
        relation_code,
        count(*) as pair_count,
        count(distinct entity_code) as entity_count,
        sum(leading_deviation * leading_deviation) as leading_squares,
        sum(lagging_deviation * lagging_deviation) as lagging_squares,
        sum(leading_deviation * lagging_deviation) as products
    from deviation
    group by relation_code
),

correlated as (
    select
        indicator_relation.*,
        coalesce(summed.pair_count, 0) as pair_count,
        coalesce(summed.entity_count, 0) as entity_count,
        -- a mean taken out of each entity's pairs takes one pair's worth of freedom, and Fisher's counts the first
        coalesce(summed.pair_count - summed.entity_count + 1, 0) as free_count,
        {{ metric_critical_value('indicator_relation.confidence_level') }} as critical_reading,
        -- squares this small are the rounding of readings that do not move
        case
            when summed.leading_squares > 0.000000000001 and summed.lagging_squares > 0.000000000001
                then greatest(-1, least(1, {{ float_ratio(
                    'summed.products', square_root('summed.leading_squares * summed.lagging_squares')
                ) }}))
        end as correlation,
        case
            when summed.leading_squares > 0.000000000001
                then {{ float_ratio('summed.products', 'summed.leading_squares') }}
        end as slope
    from indicator_relation
    left join summed on indicator_relation.relation_code = summed.relation_code
),

transformed as (
    select
        *,
        pair_count < min_pair_count or free_count <= 3 as is_insufficient,
        {{ natural_log(float_ratio('1 + correlation', '1 - correlation')) }} as doubled_fisher,
        {{ float_ratio('2 * critical_reading', square_root('free_count - 3')) }} as doubled_reach
    from correlated
),

bounded as (
    select
        *,
        case
            when is_insufficient or correlation is null then null
            when abs(correlation) >= 1 then correlation
            else {{ float_ratio(
                natural_exp('doubled_fisher - doubled_reach') ~ ' - 1', natural_exp('doubled_fisher - doubled_reach') ~ ' + 1'
            ) }}
        end as lower_correlation,
        case
            when is_insufficient or correlation is null then null
            when abs(correlation) >= 1 then correlation
            else {{ float_ratio(
                natural_exp('doubled_fisher + doubled_reach') ~ ' - 1', natural_exp('doubled_fisher + doubled_reach') ~ ' + 1'
            ) }}
        end as upper_correlation,
        case expected_relation when 'negative' then -1 else 1 end as expected_sign
    from transformed
),

final as (
    select
        cast(relation_code as varchar) as relation_code,
        cast(leading_metric_code as varchar) as leading_metric_code,
        cast(lagging_metric_code as varchar) as lagging_metric_code,
        cast(entity_type as varchar) as entity_type,
        cast(period_grain as varchar) as period_grain,
        cast(lag_period_count as integer) as lag_period_count,
        cast(expected_relation as varchar) as expected_relation,
        cast(pair_count as bigint) as pair_count,
        cast(entity_count as bigint) as entity_count,
        cast(min_pair_count as bigint) as min_pair_count,
        cast({{ decimal_of('case when not is_insufficient then correlation end') }} as decimal(18, 6))
            as correlation_value,
        cast({{ decimal_of('lower_correlation') }} as decimal(18, 6)) as correlation_lower_value,
        cast({{ decimal_of('upper_correlation') }} as decimal(18, 6)) as correlation_upper_value,
        cast(confidence_level as decimal(9, 6)) as confidence_share,
        cast({{ decimal_of('case when not is_insufficient then correlation * correlation end') }} as decimal(18, 6))
            as influence_share,
        cast({{ decimal_of('case when not is_insufficient then slope end') }} as decimal(18, 6)) as influence_value,
        cast(case
            when is_insufficient then 'insufficient_data'
            when correlation is null then 'no_variation'
            when lower_correlation * expected_sign > 0 and upper_correlation * expected_sign > 0 then 'supported'
            when lower_correlation * expected_sign < 0 and upper_correlation * expected_sign < 0 then 'contradicted'
            else 'not_shown'
        end as varchar) as relation_status,
        owner,
        cast(rationale as varchar) as rationale
    from bounded
)

select * from final
