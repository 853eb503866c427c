with tickets as (
    select * from {{ ref('int_ticket') }}
),

ticket_slts as (
    select * from {{ ref('fct_ticket_slt') }}
    where phase = 'resolution'
),

closures as (
    select *
    from {{ ref('fct_ticket_slt') }}
    where phase = 'closure' and slt_status in ('met', 'within_tolerance', 'breached')
),

first_stops as (
    select * from {{ ref('int_slt_first_stop') }}
),

compared as (
    select
        tickets.ticket_key,
        tickets.ticket_number,
        tickets.source_system,
        tickets.opened_at,
        tickets.made_sla,
        tickets.reopen_count,
        tickets.source_resolved_at,
        tickets.source_closed_at,
        ticket_slts.ticket_slt_key,
        ticket_slts.slt_code,
        ticket_slts.priority,
        ticket_slts.team_code,
        ticket_slts.slt_status,
        ticket_slts.target_seconds,
        ticket_slts.wall_seconds,
        ticket_slts.paused_seconds,
        ticket_slts.business_seconds,
        ticket_slts.net_seconds,
        ticket_slts.is_breached_raw,
        ticket_slts.is_breached_adjusted,
        ticket_slts.stop_at as history_stop_at,
        first_stops.first_stop_at,
        first_stops.closed_at as history_closed_at,
        {{ seconds_between('ticket_slts.stop_at', 'tickets.source_resolved_at') }}
            as resolved_at_difference_seconds,
        {{ seconds_between('tickets.opened_at', 'tickets.source_resolved_at') }} as source_resolve_seconds,
        {{ seconds_between('tickets.opened_at', 'first_stops.first_stop_at') }} as first_stop_seconds,
        {{ seconds_between(
            'tickets.opened_at', 'coalesce(first_stops.closed_at, tickets.source_closed_at)'
        ) }} as close_seconds,
        closures.is_breached_raw as is_breached_at_closure,
        closures.business_seconds as closure_business_seconds,
        coalesce(tickets.batch_id, '') as batch_id
    from tickets
    left join ticket_slts on tickets.ticket_key = ticket_slts.ticket_key
    left join closures on tickets.ticket_key = closures.ticket_key
    left join first_stops on ticket_slts.ticket_slt_key = first_stops.ticket_slt_key
),

flagged as (
    select
        *,
        case
            when ticket_slt_key is null or made_sla is null then null
            when slt_status in ('met', 'within_tolerance', 'breached') then made_sla = (not is_breached_raw)
        end as is_agreeing_raw,
        case
            when ticket_slt_key is null or made_sla is null then null
            when slt_status in ('met', 'within_tolerance', 'breached')
                then made_sla = (not is_breached_adjusted)
        end as is_agreeing,
        made_sla = (not is_breached_at_closure) as is_agreeing_at_closure
    from compared
),

-- the first single difference of method that by itself turns our verdict into the source's
reasoned as (
    select
        *,
        case
            when is_agreeing then null
            when ticket_slt_key is null then 'no_target'
            when made_sla is null then 'no_source_flag'
            when slt_status = 'invalid' then 'history_contradiction'
            when slt_status = 'canceled' then 'canceled'
            when slt_status in ('running', 'running_breached') then 'not_yet_stopped'
            when not made_sla and is_breached_raw then 'exclusion_applied'
            when is_agreeing_at_closure then 'source_counts_to_closure'
            when not made_sla and business_seconds + paused_seconds > target_seconds
                then 'pause_not_counted_by_source'
            when not made_sla and wall_seconds > target_seconds then 'calendar_not_counted_by_source'
            when not made_sla and source_resolve_seconds > target_seconds then 'source_resolved_at_later'
            when not made_sla and is_agreeing_at_closure is null and close_seconds > target_seconds
                then 'source_counts_to_closure'
            when not made_sla then 'source_target_shorter'
            when first_stop_seconds < wall_seconds and first_stop_seconds <= target_seconds then 'reopened'
            when source_resolve_seconds < wall_seconds and source_resolve_seconds <= target_seconds
                then 'source_resolved_at_earlier'
            else 'source_target_longer'
        end as disagreement_reason
    from flagged
),

final as (
    select
        cast(ticket_key as varchar) as ticket_key,
        cast(ticket_number as varchar) as ticket_number,
        cast(source_system as varchar) as source_system,
        cast(ticket_slt_key as varchar) as ticket_slt_key,
        cast(slt_code as varchar) as slt_code,
        cast(priority as integer) as priority,
        cast(team_code as varchar) as team_code,
        cast(slt_status as varchar) as slt_status,
        cast(target_seconds as bigint) as target_seconds,
        cast(wall_seconds as bigint) as wall_seconds,
        cast(paused_seconds as bigint) as paused_seconds,
        cast(business_seconds as bigint) as business_seconds,
        cast(net_seconds as bigint) as net_seconds,
        cast(is_breached_raw as boolean) as is_breached_raw,
        cast(is_breached_adjusted as boolean) as is_breached_adjusted,
        cast(made_sla as boolean) as made_sla,
        cast(is_agreeing_raw as boolean) as is_agreeing_raw,
        cast(is_agreeing as boolean) as is_agreeing,
        cast(is_agreeing_at_closure as boolean) as is_agreeing_at_closure,
        cast(disagreement_reason as varchar) as disagreement_reason,
        cast(opened_at as timestamp) as opened_at,
        cast(history_stop_at as timestamp) as history_stop_at,
        cast(source_resolved_at as timestamp) as source_resolved_at,
        cast(resolved_at_difference_seconds as bigint) as resolved_at_difference_seconds,
        cast(case
            when source_resolved_at is null and history_stop_at is null then 'both_open'
            when source_resolved_at is null then 'source_missing'
            when history_stop_at is null then 'history_not_stopped'
            when resolved_at_difference_seconds = 0 then 'equal'
            when resolved_at_difference_seconds > 0 then 'source_later'
            else 'source_earlier'
        end as varchar) as resolved_at_comparison,
        cast(history_closed_at as timestamp) as history_closed_at,
        cast(source_closed_at as timestamp) as source_closed_at,
        cast({{ seconds_between('history_closed_at', 'source_closed_at') }} as bigint)
            as closed_at_difference_seconds,
        cast(close_seconds as bigint) as close_seconds,
        cast(closure_business_seconds as bigint) as closure_business_seconds,
        cast(reopen_count as integer) as reopen_count,
        cast(batch_id as varchar) as batch_id
    from reasoned
)

select * from final
