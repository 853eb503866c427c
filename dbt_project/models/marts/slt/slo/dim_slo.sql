with definitions as (
    select * from {{ ref('int_slo_definition') }}
),

policies as (
    select * from {{ ref('int_slo_alert_policy') }}
),

policy_lists as (
    select
        slo_code,
        slo_version,
        sum(case when is_effective then 1 else 0 end) as alert_policy_count,
        {{ string_list("case when not is_effective then alert_policy_code || ': ' || refusal_reason end",
            'alert_policy_code') }} as refused_alert_policies
    from policies
    group by slo_code, slo_version
),

final as (
    select
        cast(definitions.slo_code as varchar) as slo_code,
        cast(definitions.slo_version as integer) as slo_version,
        cast(definitions.slo_name as varchar) as slo_name,
        cast(
            'at least ' || cast(definitions.target_share as varchar)
            || case definitions.budgeting_method
                when 'timeslices'
                    then
                        ' of the slices of ' || coalesce(cast(definitions.time_slice_seconds as varchar), '?')
                        || ' s good, each from ' || coalesce(cast(definitions.time_slice_target_share as varchar), '?')
                        || ' of its '
                when 'ratio_timeslices'
                    then
                        ' good on average over slices of '
                        || coalesce(cast(definitions.time_slice_seconds as varchar), '?') || ' s of the '
                else ' of the '
            end
            || case definitions.indicator
                when 'monitor_time' then 'monitored seconds'
                when 'sample_time' then coalesce(definitions.sample_kind || ' ', '') || 'sampled seconds'
                when 'monitor_samples' then coalesce(definitions.sample_kind || ' ', '') || 'monitor samples'
                else 'tickets stopped under ' || coalesce(definitions.slt_code, '?')
            end
            || coalesce(' of ' || definitions.service_code, '')
            || case definitions.budgeting_method when 'occurrences' then ' good' else '' end || ', in '
            || case
                when definitions.window_kind = 'rolling'
                    then coalesce(cast(definitions.window_days as varchar), '?') || ' rolling days'
                else 'each calendar ' || coalesce(definitions.calendar_unit, '?')
            end
            || ' (' || definitions.time_zone || '); what is excluded '
            || case definitions.exclusion_effect
                when 'count_good' then 'counts as good'
                else 'leaves the denominator'
            end as varchar
        ) as slo_in_words,
        cast(definitions.service_code as varchar) as service_code,
        cast(definitions.indicator as varchar) as indicator,
        cast(definitions.slt_code as varchar) as slt_code,
        cast(definitions.sample_kind as varchar) as sample_kind,
        cast(definitions.budgeting_method as varchar) as budgeting_method,
        cast(definitions.target_share as decimal(18, 6)) as target_share,
        cast(definitions.time_slice_seconds as bigint) as time_slice_seconds,
        cast(definitions.time_slice_target_share as decimal(18, 6)) as time_slice_target_share,
        cast(definitions.window_kind as varchar) as window_kind,
        cast(definitions.window_days as integer) as window_days,
        cast(definitions.calendar_unit as varchar) as calendar_unit,
        cast(definitions.time_zone as varchar) as time_zone,
        cast(definitions.exclusion_effect as varchar) as exclusion_effect,
        cast(definitions.minimum_event_count as bigint) as minimum_event_count,
        cast(definitions.counted_unit as varchar) as counted_unit,
        cast(definitions.effective_from as date) as effective_from,
        cast(definitions.effective_to as date) as effective_to,
        cast(coalesce(policy_lists.alert_policy_count, 0) as bigint) as alert_policy_count,
        cast(policy_lists.refused_alert_policies as varchar) as refused_alert_policies,
        cast(definitions.is_effective as boolean) as is_effective,
        cast(definitions.refusal_reason as varchar) as refusal_reason
    from definitions
    left join policy_lists
        on
            definitions.slo_code = policy_lists.slo_code
            and definitions.slo_version = policy_lists.slo_version
)

select * from final
