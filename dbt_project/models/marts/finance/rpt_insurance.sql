-- Whether each condition of an insurance policy was kept, period by period, by the metric version in force.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

insurance_condition as (
    select * from {{ ref('insurance_condition') }}
),

reporting_period as (
    select * from {{ ref('int_reporting_period') }}
),

fct_metric_result as (
    select * from {{ ref('fct_metric_result') }}
    where is_in_force and entity_type in ('team', 'service', 'vendor', 'business_unit')
),

due as (
    select
        insurance_condition.*,
        reporting_period.period_code,
        reporting_period.period_start_on,
        reporting_period.period_end_on,
        run_context.as_of_at,
        cast(reporting_period.period_end_on as timestamp) <= run_context.as_of_at as is_over
    from insurance_condition
    cross join run_context
    inner join reporting_period
        on
            insurance_condition.period_grain = reporting_period.period_grain
            and insurance_condition.effective_from <= reporting_period.period_start_on
            and (
                insurance_condition.effective_to is null
                or insurance_condition.effective_to >= reporting_period.period_start_on
            )
),

judged as (
    select
        due.*,
        fct_metric_result.metric_result_key,
        fct_metric_result.metric_version,
        fct_metric_result.sample_count,
        fct_metric_result.result_status,
        case when fct_metric_result.result_status = 'ok' then fct_metric_result.metric_value end as measured_value,
        case
            when not due.is_over then 'not_over'
            when coalesce(fct_metric_result.result_status, '') <> 'ok' or fct_metric_result.metric_value is null
                then 'not_measured'
            when due.direction = 'at_least' and fct_metric_result.metric_value >= due.limit_value then 'kept'
            when due.direction = 'at_most' and fct_metric_result.metric_value <= due.limit_value then 'kept'
            else 'broken'
        end as condition_status
    from due
    left join fct_metric_result
        on
            due.metric_code = fct_metric_result.metric_code
            and due.entity_type = fct_metric_result.entity_type
            and due.entity_code = fct_metric_result.entity_code
            and due.period_grain = fct_metric_result.period_grain
            and due.period_start_on = fct_metric_result.period_start_on
),

final as (
    select
        cast(
            {{ md5_of(['policy_code', 'condition_code', 'effective_from', 'period_start_on']) }} as varchar
        ) as insurance_key,
        cast(policy_code as varchar) as policy_code,
        cast(condition_code as varchar) as condition_code,
        cast(condition_text as varchar) as condition_text,
        cast(effective_from as date) as condition_effective_from,
        cast(period_code as varchar) as period_code,
        cast(period_start_on as date) as period_start_on,
        cast(metric_code as varchar) as metric_code,
        cast(metric_version as integer) as metric_version,
        cast(metric_result_key as varchar) as metric_result_key,
        cast(entity_type as varchar) as entity_type,
        cast(entity_code as varchar) as entity_code,
        cast(direction as varchar) as direction,
        cast(limit_value as decimal(18, 6)) as limit_value,
        cast(measured_value as decimal(18, 6)) as measured_value,
        cast(
            case direction when 'at_least' then measured_value - limit_value else limit_value - measured_value end
            as decimal(18, 6)
        ) as margin_value,
        cast(condition_status as varchar) as condition_status,
        cast(
            case condition_status
                when 'kept' then 'Kept: '
                when 'broken' then 'Broken, the insurer may refuse: '
                when 'not_over' then 'The period is not over: '
                else 'Not measured, so it cannot be shown to the insurer ('
                    || coalesce(result_status, 'no result of the metric') || '): '
            end
            || metric_code || ' of ' || entity_code || ' is ' || coalesce(cast(measured_value as varchar), 'not known')
            || ', ' || replace(direction, '_', ' ') || ' ' || cast(cast(limit_value as decimal(18, 6)) as varchar)
            || ' is asked for.' as varchar
        ) as explanation
    from judged
)

select * from final
