{%- set day_counts = [30, 90] -%}
with entities as (
    select * from {{ ref('int_source_entity') }}
),

checks as (
    select * from {{ ref('int_source_check') }}
),

batches as (
    select * from {{ ref('int_extract_batch') }}
),

dependents as (
    select * from {{ ref('int_entity_dependent') }}
),

last_check as (
    select *
    from checks
    where next_checked_at is null
),

last_batch as (
    select
        source_name,
        entity_name,
        max_by(batch_id, finished_at) as last_batch_id,
        max(window_end_at) as last_window_end_at,
        max(high_water_at) as high_water_at
    from batches
    group by source_name, entity_name
),

dependent_list as (
    select
        source_name,
        entity_name,
        count(*) as dependent_result_count,
        {{ string_list('result_name', 'result_name') }} as dependent_results
    from dependents
    group by source_name, entity_name
),

windows as (
    {% for days in day_counts -%}
    select
        source_name,
        entity_name,
        as_of_at,
        {{ days }} as day_count,
        greatest({{ add_seconds('as_of_at', -86400 * days) }}, promised_from_at) as from_at
    from entities
    where is_configured and promised_seconds is not null
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

-- each answer stands until the next one; late from the instant the next delivery was due
stretches as (
    select
        windows.source_name,
        windows.entity_name,
        windows.day_count,
        greatest(checks.checked_at, windows.from_at) as stretch_from_at,
        coalesce(checks.next_checked_at, windows.as_of_at) as stretch_to_at,
        checks.due_at
    from windows
    inner join checks on windows.source_name = checks.source_name and windows.entity_name = checks.entity_name
    where coalesce(checks.next_checked_at, windows.as_of_at) > greatest(checks.checked_at, windows.from_at)
),

kept as (
    select
        {% for days in day_counts -%}
        sum(
            case when day_count = {{ days }} then {{ seconds_between('stretch_from_at', 'stretch_to_at') }} end
        ) as observed_{{ days }}_seconds,
        sum(
            case
                when day_count = {{ days }} and due_at < stretch_to_at
                    then {{ seconds_between('greatest(stretch_from_at, due_at)', 'stretch_to_at') }}
            end
        ) as late_{{ days }}_seconds,
        {% endfor -%}
        source_name,
        entity_name
    from stretches
    group by source_name, entity_name
),

judged as (
    select
        entities.*,
        last_check.checked_at,
        last_check.current_to_at,
        last_check.expected_at,
        last_check.due_at,
        case
            when not entities.is_configured then 'absent'
            when not entities.has_governed_promise then 'ungoverned'
            when entities.promised_seconds is null then 'not_promised'
            when last_check.checked_at is null then 'never_landed'
            when last_check.due_at < entities.as_of_at then 'late'
            else 'on_time'
        end as sla_status
    from entities
    left join last_check
        on entities.source_name = last_check.source_name and entities.entity_name = last_check.entity_name
),

final as (
    select
        cast(judged.source_name as varchar) as source_name,
        cast(judged.entity_name as varchar) as entity_name,
        cast(judged.sla_status as varchar) as sla_status,
        cast(judged.sla_status in ('late', 'never_landed') as boolean) as is_late,
        cast(judged.severity as varchar) as severity,
        cast(judged.promised_seconds as bigint) as promised_seconds,
        cast(judged.calendar_code as varchar) as calendar_code,
        cast(judged.owner_team as varchar) as owner_team,
        cast(judged.contact as varchar) as contact,
        cast(judged.as_of_at as timestamp) as as_of_at,
        cast(last_batch.last_batch_id as varchar) as last_batch_id,
        cast(last_batch.last_window_end_at as timestamp) as last_window_end_at,
        cast(last_batch.high_water_at as timestamp) as high_water_at,
        cast(judged.checked_at as timestamp) as last_checked_at,
        cast(judged.current_to_at as timestamp) as current_to_at,
        cast({{ seconds_between('judged.current_to_at', 'judged.as_of_at') }} as bigint) as age_seconds,
        cast(judged.expected_at as timestamp) as expected_at,
        cast(judged.due_at as timestamp) as due_at,
        cast(case when judged.sla_status = 'late' then judged.due_at end as timestamp) as late_since_at,
        cast(
            case
                when judged.sla_status = 'late' then {{ seconds_between('judged.due_at', 'judged.as_of_at') }}
                when judged.sla_status <> 'never_landed' then 0
            end as bigint
        ) as late_seconds,
        {% for days in day_counts -%}
        cast(coalesce(kept.observed_{{ days }}_seconds, 0) as bigint) as observed_last_{{ days }}_days_seconds,
        cast(coalesce(kept.late_{{ days }}_seconds, 0) as bigint) as late_last_{{ days }}_days_seconds,
        cast(
            {{ round_half_up_ratio(
                'kept.observed_' ~ days ~ '_seconds - coalesce(kept.late_' ~ days ~ '_seconds, 0)',
                'kept.observed_' ~ days ~ '_seconds',
                6
            ) }} as decimal(18, 6)
        ) as attainment_last_{{ days }}_days_share,
        {% endfor -%}
        cast(coalesce(dependent_list.dependent_result_count, 0) as bigint) as dependent_result_count,
        cast(
            case
                when judged.sla_status in ('late', 'never_landed')
                    then coalesce(dependent_list.dependent_result_count, 0)
                else 0
            end as bigint
        ) as waiting_result_count,
        cast(
            case when judged.sla_status in ('late', 'never_landed') then dependent_list.dependent_results end as varchar
        ) as waiting_results,
        cast(judged.configuration_reason as varchar) as configuration_reason
    from judged
    left join last_batch
        on judged.source_name = last_batch.source_name and judged.entity_name = last_batch.entity_name
    left join kept
        on judged.source_name = kept.source_name and judged.entity_name = kept.entity_name
    left join dependent_list
        on judged.source_name = dependent_list.source_name and judged.entity_name = dependent_list.entity_name
)

select * from final
