{#- Datadog's figure is exact to three decimals of a percent. -#}
{%- set tolerance_share = '0.00001' -%}
with histories as (
    select * from {{ ref('stg_datadog__slo_histories') }}
),

objectives as (
    select * from {{ ref('stg_datadog__slos') }}
),

correction_windows as (
    select * from {{ ref('int_slo_correction_window') }}
),

down_intervals as (
    select * from {{ ref('int_monitor_interval') }}
    where monitor_state = 'down'
),

objective_monitors as (
    select
        slo_id,
        {{ json_elements('monitor_ids') }} as monitor_id
    from objectives
),

stretches as (
    select
        histories.slo_id,
        histories.window_from_at,
        greatest(down_intervals.from_at, histories.window_from_at) as from_at,
        least(down_intervals.to_at, histories.window_to_at) as to_at,
        1 as down_step,
        0 as corrected_step
    from histories
    inner join objective_monitors on histories.slo_id = objective_monitors.slo_id
    inner join down_intervals
        on
            objective_monitors.monitor_id = down_intervals.monitor_id
            and histories.window_to_at > down_intervals.from_at
            and histories.window_from_at < down_intervals.to_at
    union all
    select
        histories.slo_id,
        histories.window_from_at,
        greatest(correction_windows.starts_at, histories.window_from_at) as from_at,
        least(correction_windows.ends_at, histories.window_to_at) as to_at,
        0 as down_step,
        1 as corrected_step
    from histories
    inner join correction_windows
        on
            histories.slo_id = correction_windows.slo_id
            and histories.window_to_at > correction_windows.starts_at
            and histories.window_from_at < correction_windows.ends_at
),

edges as (
    select
        slo_id,
        window_from_at,
        from_at as edge_at,
        down_step,
        corrected_step
    from stretches
    union all
    select
        slo_id,
        window_from_at,
        to_at as edge_at,
        -down_step as down_step,
        -corrected_step as corrected_step
    from stretches
),

steps as (
    select
        slo_id,
        window_from_at,
        edge_at,
        sum(down_step) as down_step,
        sum(corrected_step) as corrected_step
    from edges
    group by slo_id, window_from_at, edge_at
),

levels as (
    select
        slo_id,
        window_from_at,
        {{ seconds_between(
            'edge_at', 'lead(edge_at) over (partition by slo_id, window_from_at order by edge_at)'
        ) }} as level_seconds,
        sum(down_step) over sweep as down_level,
        sum(corrected_step) over sweep as corrected_level
    from steps
    window sweep as (
        partition by slo_id, window_from_at order by edge_at rows between unbounded preceding and current row
    )
),

measured as (
    select
        slo_id,
        window_from_at,
        sum(case when down_level > 0 then level_seconds else 0 end) as down_seconds,
        sum(case when down_level > 0 and corrected_level = 0 then level_seconds else 0 end) as counted_down_seconds,
        sum(case when corrected_level > 0 then level_seconds else 0 end) as corrected_seconds
    from levels
    group by slo_id, window_from_at
),

compared as (
    select
        histories.slo_id,
        objectives.slo_name,
        objectives.service_code,
        histories.window_from_at,
        histories.window_to_at,
        histories.read_outcome,
        histories.error_list,
        histories.batch_id,
        objectives.slo_id is not null as is_listed,
        {{ seconds_between('histories.window_from_at', 'histories.window_to_at') }} as window_seconds,
        coalesce(measured.down_seconds, 0) as down_seconds,
        coalesce(measured.counted_down_seconds, 0) as counted_down_seconds,
        coalesce(measured.corrected_seconds, 0) as corrected_seconds,
        cast(histories.sli_percent * 0.01 as decimal(18, 8)) as datadog_share
    from histories
    left join objectives on histories.slo_id = objectives.slo_id
    left join measured
        on histories.slo_id = measured.slo_id and histories.window_from_at = measured.window_from_at
),

shared as (
    select
        *,
        {{ round_half_up_ratio('window_seconds - down_seconds', 'window_seconds', 8) }} as uncorrected_share,
        {{ round_half_up_ratio(
            '(window_seconds - corrected_seconds - counted_down_seconds)', '(window_seconds - corrected_seconds)', 8
        ) }} as corrected_share
    from compared
),

judged as (
    select
        *,
        case
            when read_outcome = 'deleted_under_way' or not is_listed then 'objective_deleted'
            when datadog_share is null then 'datadog_could_not_compute'
            when abs(datadog_share - corrected_share) <= {{ tolerance_share }} then 'equal'
            when abs(datadog_share - uncorrected_share) <= {{ tolerance_share }} then 'corrections_not_applied'
            else 'not_explained'
        end as explanation_code
    from shared
),

final as (
    select
        cast(slo_id as varchar) as slo_id,
        cast(slo_name as varchar) as slo_name,
        cast(service_code as varchar) as service_code,
        cast(window_from_at as timestamp) as window_from_at,
        cast(window_to_at as timestamp) as window_to_at,
        cast(case
            when explanation_code = 'equal' then 'matched'
            when explanation_code in ('objective_deleted', 'datadog_could_not_compute') then 'missing_right'
            else 'amount_differs'
        end as varchar) as rec_status,
        cast(explanation_code as varchar) as explanation_code,
        cast(window_seconds as bigint) as window_seconds,
        cast(down_seconds as bigint) as down_seconds,
        cast(corrected_seconds as bigint) as corrected_seconds,
        cast(counted_down_seconds as bigint) as counted_down_seconds,
        cast(corrected_share as decimal(18, 8)) as measured_share,
        cast(uncorrected_share as decimal(18, 8)) as uncorrected_share,
        datadog_share,
        cast(datadog_share - corrected_share as decimal(18, 8)) as difference_share,
        cast(error_list as varchar) as error_list,
        cast(batch_id as varchar) as batch_id
    from judged
)

select * from final
