with changes as (
    select * from {{ ref('int_change_request') }}
    where is_implemented
),

tickets as (
    select * from {{ ref('int_ticket') }}
    where not has_history_contradiction
),

results as (
    select * from {{ ref('fct_ticket_slt') }}
    where slt_status not in ('invalid', 'canceled')
),

gates as (
    select * from {{ ref('decision_gate') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

breaches as (
    select
        ticket_key,
        bool_or(is_breached_adjusted) as is_breached
    from results
    group by ticket_key
),

incidents as (
    select
        tickets.ticket_key,
        tickets.service_code,
        tickets.priority,
        tickets.opened_at,
        breaches.is_breached
    from tickets
    left join breaches on tickets.ticket_key = breaches.ticket_key
    where tickets.service_code is not null
),

-- the gate that was in force when the work began
evaluated as (
    select
        changes.change_request_key,
        changes.change_number,
        changes.change_type,
        changes.service_code,
        changes.planned_start_at,
        changes.planned_end_at,
        changes.batch_id,
        gates.gate_code,
        gates.metric_code,
        gates.comparison,
        gates.threshold_value,
        gates.minimum_sample_count,
        gates.tripped_decision,
        gates.consequence,
        gates.before_seconds,
        gates.after_seconds,
        {{ add_seconds('changes.planned_start_at', '-gates.before_seconds') }} as window_from_at,
        {{ add_seconds('changes.planned_end_at', 'gates.after_seconds') }} as window_to_at,
        run_context.as_of_at
    from changes
    cross join run_context
    inner join gates
        on
            cast(changes.planned_start_at as date) >= gates.effective_from
            and cast(changes.planned_start_at as date) <= coalesce(gates.effective_to, date '9999-12-31')
            and coalesce(gates.change_type, changes.change_type) = changes.change_type
            and coalesce(gates.service_code, coalesce(changes.service_code, '')) = coalesce(changes.service_code, '')
),

-- incidents on the changed service, while the work went on left out
counted as (
    select
        evaluated.change_request_key,
        evaluated.gate_code,
        sum(case when incidents.opened_at < evaluated.planned_start_at then 1 else 0 end) as before_count,
        sum(case when incidents.opened_at >= evaluated.planned_end_at then 1 else 0 end) as after_count,
        sum(case
            when incidents.opened_at < evaluated.planned_start_at and incidents.priority <= 2 then 1 else 0
        end) as urgent_before_count,
        sum(case
            when incidents.opened_at >= evaluated.planned_end_at and incidents.priority <= 2 then 1 else 0
        end) as urgent_after_count,
        sum(case
            when incidents.opened_at < evaluated.planned_start_at and incidents.is_breached is not null then 1 else 0
        end) as judged_before_count,
        sum(case
            when incidents.opened_at >= evaluated.planned_end_at and incidents.is_breached is not null then 1 else 0
        end) as judged_after_count,
        sum(case
            when incidents.opened_at < evaluated.planned_start_at and incidents.is_breached then 1 else 0
        end) as breached_before_count,
        sum(case
            when incidents.opened_at >= evaluated.planned_end_at and incidents.is_breached then 1 else 0
        end) as breached_after_count
    from evaluated
    inner join incidents
        on
            evaluated.service_code = incidents.service_code
            and incidents.opened_at >= evaluated.window_from_at
            and incidents.opened_at < evaluated.window_to_at
            and (
                incidents.opened_at < evaluated.planned_start_at or incidents.opened_at >= evaluated.planned_end_at
            )
    group by evaluated.change_request_key, evaluated.gate_code
),

-- counts become incidents a day, a share stays one; the sample is what the figure rests on
figured as (
    select
        evaluated.*,
        case evaluated.metric_code
            when 'urgent_incidents_per_day' then coalesce(counted.urgent_before_count, 0)
            when 'breached_share' then coalesce(counted.judged_before_count, 0)
            else coalesce(counted.before_count, 0)
        end as before_sample_count,
        case evaluated.metric_code
            when 'urgent_incidents_per_day' then coalesce(counted.urgent_after_count, 0)
            when 'breached_share' then coalesce(counted.judged_after_count, 0)
            else coalesce(counted.after_count, 0)
        end as after_sample_count,
        case
            when evaluated.metric_code = 'breached_share'
                then {{ float_ratio('counted.breached_before_count', 'counted.judged_before_count') }}
            when evaluated.metric_code = 'urgent_incidents_per_day'
                then {{ float_ratio(
                    '86400 * coalesce(counted.urgent_before_count, 0)', 'evaluated.before_seconds'
                ) }}
            else {{ float_ratio('86400 * coalesce(counted.before_count, 0)', 'evaluated.before_seconds') }}
        end as before_figure,
        case
            when evaluated.metric_code = 'breached_share'
                then {{ float_ratio('counted.breached_after_count', 'counted.judged_after_count') }}
            when evaluated.metric_code = 'urgent_incidents_per_day'
                then {{ float_ratio(
                    '86400 * coalesce(counted.urgent_after_count, 0)', 'evaluated.after_seconds'
                ) }}
            else {{ float_ratio('86400 * coalesce(counted.after_count, 0)', 'evaluated.after_seconds') }}
        end as after_figure
    from evaluated
    left join counted
        on
            evaluated.change_request_key = counted.change_request_key
            and evaluated.gate_code = counted.gate_code
),

compared as (
    select
        *,
        case comparison
            when 'after_above' then after_figure
            when 'increase_above' then after_figure - before_figure
            else {{ float_ratio('after_figure - before_figure', 'before_figure') }}
        end as deviation
    from figured
),

judged as (
    select
        *,
        case
            when service_code is null then 'no_service'
            when window_to_at > as_of_at then 'window_open'
            when before_sample_count + after_sample_count < minimum_sample_count then 'sample_too_small'
            when deviation is null then 'nothing_to_compare'
            when deviation > threshold_value then 'threshold_exceeded'
            else 'within_threshold'
        end as reason
    from compared
),

decided as (
    select
        *,
        case reason
            when 'within_threshold' then 'proceed'
            when 'threshold_exceeded' then tripped_decision
            else 'hold'
        end as gate_decision
    from judged
),

-- the sternest gate decides about the change
ranked as (
    select
        *,
        max(case gate_decision when 'rollback' then 3 when 'hold' then 2 else 1 end)
            over (partition by change_request_key) as sternness
    from decided
),

final as (
    select
        cast(change_request_key as varchar) as change_request_key,
        cast(change_number as varchar) as change_number,
        cast(change_type as varchar) as change_type,
        cast(service_code as varchar) as service_code,
        cast(gate_code as varchar) as gate_code,
        cast(metric_code as varchar) as metric_code,
        cast(
            case when metric_code = 'breached_share' then 'share' else 'incidents_per_day' end as varchar
        ) as unit_code,
        cast(planned_start_at as timestamp) as planned_start_at,
        cast(planned_end_at as timestamp) as planned_end_at,
        cast(window_from_at as timestamp) as window_from_at,
        cast(window_to_at as timestamp) as window_to_at,
        cast(before_sample_count as bigint) as before_sample_count,
        cast(after_sample_count as bigint) as after_sample_count,
        cast(minimum_sample_count as bigint) as minimum_sample_count,
        {{ decimal_of('before_figure') }} as before_value,
        {{ decimal_of('after_figure') }} as after_value,
        cast(comparison as varchar) as comparison,
        {{ decimal_of('deviation') }} as deviation_value,
        cast(threshold_value as decimal(18, 6)) as threshold_value,
        cast(reason as varchar) as reason,
        cast(gate_decision as varchar) as gate_decision,
        cast(case when reason = 'threshold_exceeded' then consequence end as varchar) as consequence,
        cast(
            case sternness when 3 then 'rollback' when 2 then 'hold' else 'proceed' end as varchar
        ) as change_decision,
        cast(batch_id as varchar) as batch_id
    from ranked
)

select * from final
