with ticket_slts as (
    select * from {{ ref('fct_ticket_slt') }}
),

tickets as (
    select * from {{ ref('int_ticket') }}
),

events as (
    select * from {{ ref('int_ticket_event') }}
),

monitor_intervals as (
    select * from {{ ref('int_monitor_interval') }}
    where service_code is not null
),

services as (
    select * from {{ ref('service') }}
),

escalation_levels as (
    select * from {{ ref('escalation_path') }}
),

rules as (
    select * from {{ ref('false_positive_rule') }}
),

decisions as (
    select * from {{ ref('int_review_decision') }}
),

logged as (
    select
        ticket_slts.*,
        services.criticality,
        case
            when ticket_slts.slt_status = 'canceled' then 'canceled'
            when ticket_slts.is_forgiven then 'forgiven'
            when ticket_slts.is_breached_adjusted then 'breached'
            when ticket_slts.is_breached_raw then 'excluded'
            else 'at_risk'
        end as breach_class,
        case
            when ticket_slts.is_breached_adjusted then ticket_slts.breach_at
            when ticket_slts.is_breached_raw then ticket_slts.original_breach_at
        end as target_reached_at,
        greatest(ticket_slts.business_seconds - ticket_slts.target_seconds, 0) as raw_overrun_seconds,
        greatest(ticket_slts.net_seconds - ticket_slts.target_seconds, 0) as overrun_seconds
    from ticket_slts
    left join services on ticket_slts.service_code = services.service_code
    where ticket_slts.is_breached_raw or ticket_slts.is_breached_adjusted or ticket_slts.is_at_risk
),

-- escalation: the most specific path of the phase, as a whole, then the levels of it that were reached
paths as (
    select distinct
        escalation_path_code,
        phase,
        service_code,
        criticality,
        priority,
        effective_from,
        effective_to
    from escalation_levels
),

chosen_paths as (
    select
        logged.ticket_slt_key,
        logged.net_seconds,
        logged.target_seconds,
        logged.breach_at,
        paths.escalation_path_code,
        paths.effective_from
    from logged
    inner join paths
        on
            logged.phase = paths.phase
            and cast(logged.start_at as date) >= paths.effective_from
            and cast(logged.start_at as date) <= coalesce(paths.effective_to, date '9999-12-31')
            and (paths.service_code is null or logged.service_code = paths.service_code)
            and (paths.criticality is null or logged.criticality = paths.criticality)
            and (paths.priority is null or logged.priority = paths.priority)
    qualify row_number() over (
            partition by logged.ticket_slt_key
            order by
                case when paths.service_code is null then 0 else 4 end
                + case when paths.criticality is null then 0 else 2 end
                + case when paths.priority is null then 0 else 1 end desc,
                paths.escalation_path_code
        ) = 1
),

path_levels as (
    select
        chosen_paths.ticket_slt_key,
        chosen_paths.escalation_path_code,
        chosen_paths.breach_at,
        escalation_levels.level_number,
        escalation_levels.threshold_share,
        escalation_levels.notify_role,
        escalation_levels.channel,
        escalation_levels.within_seconds,
        chosen_paths.net_seconds >= escalation_levels.threshold_share * chosen_paths.target_seconds as is_reached
    from chosen_paths
    inner join escalation_levels
        on
            chosen_paths.escalation_path_code = escalation_levels.escalation_path_code
            and chosen_paths.effective_from = escalation_levels.effective_from
),

escalations as (
    select
        ticket_slt_key,
        escalation_path_code,
        max(case when is_reached then level_number end) as escalation_level_number,
        max(case when is_reached then threshold_share end) as escalation_threshold_share,
        max_by(notify_role, case when is_reached then level_number end) as escalation_role,
        max_by(channel, case when is_reached then level_number end) as escalation_channel,
        max(case when threshold_share = 1 then notify_role end) as breach_notify_role,
        max(case
            when threshold_share = 1 then {{ add_seconds('breach_at', 'within_seconds') }}
        end) as breach_notify_due_at
    from path_levels
    group by ticket_slt_key, escalation_path_code
),

-- suspicions: one row for each rule that could apply to a breach
applicable as (
    select
        logged.ticket_slt_key,
        logged.ticket_key,
        logged.slt_code,
        logged.service_code,
        logged.start_at,
        logged.stop_at,
        logged.target_reached_at,
        case
            when logged.is_breached_adjusted then logged.overrun_seconds
            else logged.raw_overrun_seconds
        end as judged_overrun_seconds,
        rules.rule_code,
        rules.minimum_count,
        rules.window_seconds,
        tickets.channel,
        tickets.made_sla,
        tickets.source_resolved_at
    from logged
    inner join tickets on logged.ticket_key = tickets.ticket_key
    inner join rules
        on
            (rules.source_system is null or logged.source_system = rules.source_system)
            and (rules.phase is null or logged.phase = rules.phase)
    where logged.breach_class not in ('at_risk', 'canceled')
),

shifts as (
    select -1 as shift_days
    union all
    select 0 as shift_days
    union all
    select 1 as shift_days
),

-- changes of a monitor under the day before, its own day and the day after, so that a window of up to a day
-- around an instant finds them by an equal join on the day
monitor_changes as (
    select
        monitor_intervals.service_code,
        monitor_intervals.monitor_id,
        monitor_intervals.from_at,
        {{ day_number('monitor_intervals.from_at') }} + shifts.shift_days as day_number
    from monitor_intervals
    cross join shifts
    where monitor_intervals.monitor_state in ('up', 'down')
),

flapping as (
    select
        applicable.ticket_slt_key,
        applicable.rule_code
    from applicable
    inner join monitor_changes
        on
            applicable.service_code = monitor_changes.service_code
            and {{ day_number('applicable.start_at') }} = monitor_changes.day_number
            and {{ epoch_seconds('monitor_changes.from_at') }}
            >= {{ epoch_seconds('applicable.start_at') }} - applicable.window_seconds
            and {{ epoch_seconds('monitor_changes.from_at') }}
            <= {{ epoch_seconds('applicable.start_at') }} + applicable.window_seconds
    where applicable.rule_code = 'monitor_flapping' and applicable.channel = 'monitoring'
    group by
        applicable.ticket_slt_key, applicable.rule_code, applicable.minimum_count, monitor_changes.monitor_id
    having count(*) >= applicable.minimum_count
),

-- the time some monitor of a service was not up, and the breaches that ask about it, in one order: what began
-- before the target was reached and lasted longest tells whether any of it lies after the window's start
not_up_or_asked as (
    select
        service_code,
        from_at as at_at,
        1 as asks_last,
        to_at,
        cast(null as varchar) as ticket_slt_key,
        cast(null as bigint) as asked_from_s
    from monitor_intervals
    where monitor_state <> 'up'
    union all
    select
        service_code,
        target_reached_at as at_at,
        0 as asks_last,
        cast(null as timestamp) as to_at,
        ticket_slt_key,
        {{ epoch_seconds('start_at') }} - window_seconds as asked_from_s
    from applicable
    where
        rule_code = 'no_outage_seen'
        and channel = 'monitoring'
        and target_reached_at is not null
),

last_not_up as (
    select
        *,
        max(to_at) over (
            partition by service_code
            order by at_at, asks_last
            rows between unbounded preceding and current row
        ) as last_not_up_at
    from not_up_or_asked
),

no_outage as (
    select
        last_not_up.ticket_slt_key,
        'no_outage_seen' as rule_code
    from last_not_up
    where
        last_not_up.ticket_slt_key is not null
        and last_not_up.service_code in (select monitor_intervals.service_code from monitor_intervals)
        and (
            last_not_up.last_not_up_at is null
            or {{ epoch_seconds('last_not_up.last_not_up_at') }} <= last_not_up.asked_from_s
        )
),

unclear_history as (
    select distinct
        applicable.ticket_slt_key,
        applicable.rule_code
    from applicable
    inner join events
        on
            applicable.ticket_key = events.ticket_key
            and applicable.target_reached_at > events.event_at
    where applicable.rule_code = 'state_not_mapped' and events.is_state_carried and not events.is_inferred
),

-- only where the time before the first recorded event is long enough to make up the overrun
unclear_opening as (
    select
        applicable.ticket_slt_key,
        applicable.rule_code
    from applicable
    inner join events on applicable.ticket_key = events.ticket_key
    where applicable.rule_code = 'opening_inferred'
    group by
        applicable.ticket_slt_key, applicable.rule_code, applicable.start_at, applicable.target_reached_at,
        applicable.judged_overrun_seconds
    having
        bool_or(events.is_inferred)
        and {{ seconds_between(
            'applicable.start_at',
            'coalesce(min(case when not events.is_inferred then events.event_at end), applicable.target_reached_at)'
        ) }} >= applicable.judged_overrun_seconds
),

stops_a_minute as (
    select
        slt_code,
        date_trunc('minute', stop_at) as stop_minute_at,
        count(*) as stop_count
    from ticket_slts
    where stop_at is not null
    group by slt_code, date_trunc('minute', stop_at)
),

stopped_in_bulk as (
    select
        applicable.ticket_slt_key,
        applicable.rule_code
    from applicable
    inner join stops_a_minute
        on
            applicable.slt_code = stops_a_minute.slt_code
            and date_trunc('minute', applicable.stop_at) = stops_a_minute.stop_minute_at
            and applicable.minimum_count <= stops_a_minute.stop_count
    where applicable.rule_code = 'stopped_in_bulk'
),

said_by_record as (
    select
        ticket_slt_key,
        rule_code
    from applicable
    where
        (
            rule_code = 'resolved_on_record_before_target'
            and source_resolved_at >= start_at
            and source_resolved_at <= target_reached_at
            and (stop_at is null or source_resolved_at < stop_at)
        )
        or (rule_code = 'source_flag_met' and made_sla)
),

suspected as (
    select distinct
        ticket_slt_key,
        rule_code
    from flapping
    union all
    select * from no_outage
    union all
    select * from unclear_history
    union all
    select * from unclear_opening
    union all
    select * from stopped_in_bulk
    union all
    select * from said_by_record
),

suspicions as (
    select
        ticket_slt_key,
        {{ string_list('rule_code', 'rule_code') }} as false_positive_reasons
    from suspected
    group by ticket_slt_key
),

-- of several decisions on one breach the last valid one holds; one taken before the breach judges nothing
reviewed as (
    select
        logged.ticket_slt_key,
        decisions.review_id,
        decisions.decided_at,
        decisions.decision,
        decisions.is_valid and decisions.decided_at >= logged.target_reached_at as is_valid
    from logged
    inner join decisions on logged.ticket_slt_key = decisions.ticket_slt_key
    where logged.target_reached_at is not null
    qualify row_number() over (
            partition by logged.ticket_slt_key
            order by
                case when decisions.is_valid and decisions.decided_at >= logged.target_reached_at then 0 else 1 end,
                decisions.decided_at desc,
                decisions.review_id desc
        ) = 1
),

judged as (
    select
        logged.*,
        escalations.escalation_path_code,
        escalations.escalation_level_number,
        escalations.escalation_threshold_share,
        escalations.escalation_role,
        escalations.escalation_channel,
        escalations.breach_notify_role,
        escalations.breach_notify_due_at,
        suspicions.false_positive_reasons,
        reviewed.review_id,
        reviewed.decided_at as reviewed_at,
        case
            when reviewed.is_valid and reviewed.decision = 'false_positive' then 'confirmed'
            when reviewed.is_valid then 'rejected'
            when suspicions.ticket_slt_key is not null then 'suspected'
            else 'none'
        end as false_positive,
        case
            when reviewed.is_valid then 'decided'
            when reviewed.review_id is not null then 'refused'
            when suspicions.ticket_slt_key is not null then 'pending'
            else 'not_asked'
        end as review_status
    from logged
    left join escalations on logged.ticket_slt_key = escalations.ticket_slt_key
    left join suspicions on logged.ticket_slt_key = suspicions.ticket_slt_key
    left join reviewed on logged.ticket_slt_key = reviewed.ticket_slt_key
),

final as (
    select
        cast(ticket_slt_key as varchar) as ticket_slt_key,
        cast(ticket_key as varchar) as ticket_key,
        cast(ticket_number as varchar) as ticket_number,
        cast(source_system as varchar) as source_system,
        cast(slt_code as varchar) as slt_code,
        cast(slt_version as integer) as slt_version,
        cast(phase as varchar) as phase,
        cast(service_code as varchar) as service_code,
        cast(team_code as varchar) as team_code,
        cast(priority as integer) as priority,
        cast(criticality as integer) as criticality,
        cast(slt_status as varchar) as slt_status,
        cast(breach_class as varchar) as breach_class,
        cast(stop_at is null and slt_status <> 'canceled' as boolean) as is_open,
        cast(is_breached_raw as boolean) as is_breached_raw,
        cast(is_breached_adjusted as boolean) as is_breached_adjusted,
        cast(is_forgiven as boolean) as is_forgiven,
        cast(is_at_risk as boolean) as is_at_risk,
        cast(start_at as timestamp) as start_at,
        cast(stop_at as timestamp) as stop_at,
        cast(as_of_at as timestamp) as as_of_at,
        cast(original_breach_at as timestamp) as original_breach_at,
        cast(breach_at as timestamp) as breach_at,
        cast(target_reached_at as timestamp) as target_reached_at,
        cast(target_seconds as bigint) as target_seconds,
        cast(business_seconds as bigint) as business_seconds,
        cast(net_seconds as bigint) as net_seconds,
        cast(raw_overrun_seconds as bigint) as raw_overrun_seconds,
        cast(overrun_seconds as bigint) as overrun_seconds,
        cast(target_used_share as decimal(18, 6)) as target_used_share,
        cast(escalation_path_code as varchar) as escalation_path_code,
        cast(escalation_level_number as integer) as escalation_level_number,
        cast(escalation_threshold_share as decimal(9, 4)) as escalation_threshold_share,
        cast(escalation_role as varchar) as escalation_role,
        cast(escalation_channel as varchar) as escalation_channel,
        cast(breach_notify_role as varchar) as breach_notify_role,
        cast(breach_notify_due_at as timestamp) as breach_notify_due_at,
        cast(false_positive as varchar) as false_positive,
        cast(false_positive_reasons as varchar) as false_positive_reasons,
        cast(review_status as varchar) as review_status,
        cast(review_id as varchar) as review_id,
        cast(reviewed_at as timestamp) as reviewed_at,
        cast(batch_id as varchar) as batch_id
    from judged
)

select * from final
