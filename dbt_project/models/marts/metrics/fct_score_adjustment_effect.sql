-- What each adjustment does to the measured result it names: the value pay uses stands beside the measured one.
with adjustments as (
    select * from {{ ref('int_score_adjustment') }}
),

results as (
    select * from {{ ref('fct_metric_result') }}
),

definitions as (
    select * from {{ ref('dim_metric_definition') }}
),

joined as (
    select
        adjustments.adjustment_id,
        adjustments.metric_code,
        adjustments.entity_type,
        adjustments.entity_code,
        adjustments.period_grain,
        adjustments.period_start_on,
        adjustments.is_effective,
        adjustments.refusal_reasons,
        adjustments.adjustment_method,
        adjustments.before_value,
        results.metric_result_key,
        results.metric_version,
        results.metric_value as measured_value,
        results.result_status,
        definitions.unit,
        case adjustments.adjustment_method
            when 'set' then adjustments.after_value
            else results.metric_value + adjustments.delta_value
        end as target_value
    from adjustments
    left join results
        on
            adjustments.metric_code = results.metric_code
            and adjustments.entity_type = results.entity_type
            and adjustments.entity_code = results.entity_code
            and adjustments.period_grain = results.period_grain
            and adjustments.period_start_on = results.period_start_on
    left join definitions
        on
            results.metric_code = definitions.metric_code
            and results.metric_version = definitions.metric_version
),

judged as (
    select
        *,
        concat_ws(
            ', ',
            refusal_reasons,
            case
                when metric_result_key is null then 'result_missing'
                when result_status <> 'ok' or measured_value is null then 'result_not_payable'
                when adjustment_method = 'set' and before_value <> measured_value then 'measured_value_differs'
                when target_value < 0 or (unit = 'share' and target_value > 1) then 'value_out_of_range'
            end
        ) as reasons
    from joined
),

final as (
    select
        cast(adjustment_id as varchar) as adjustment_id,
        cast(metric_code as varchar) as metric_code,
        cast(metric_version as integer) as metric_version,
        cast(entity_type as varchar) as entity_type,
        cast(entity_code as varchar) as entity_code,
        cast(period_grain as varchar) as period_grain,
        cast(period_start_on as date) as period_start_on,
        cast(metric_result_key as varchar) as metric_result_key,
        cast(measured_value as decimal(18, 6)) as measured_value,
        cast(case when reasons = '' then target_value end as decimal(18, 6)) as adjusted_value,
        cast(case when reasons = '' then target_value else measured_value end as decimal(18, 6)) as paid_value,
        cast(reasons = '' as boolean) as is_applied,
        cast(nullif(reasons, '') as varchar) as refusal_reasons
    from judged
)

select * from final
