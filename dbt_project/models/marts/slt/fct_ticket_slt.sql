{{ config(materialized='by_ticket', ticket_column='ticket_sequence') }}
with results as (
    select
        *,
        excluded_seconds + net_seconds as business_seconds,
        excluded_seconds + net_seconds > target_seconds as is_breached_raw,
        net_seconds > target_seconds as is_breached_adjusted
    from {{ ref('int_slt_result') }}
    where {{ for_tickets('ticket_id') }}
),

judged as (
    select
        *,
        case
            when has_history_contradiction then 'invalid'
            when canceled_at is not null then 'canceled'
            when stop_at is null and is_breached_adjusted then 'running_breached'
            when stop_at is null then 'running'
            when not is_breached_adjusted then 'met'
            when net_seconds - target_seconds <= tolerance_seconds then 'within_tolerance'
            else 'breached'
        end as slt_status
    from results
),

final as (
    select
        cast(ticket_slt_key as varchar) as ticket_slt_key,
        cast(ticket_key as varchar) as ticket_key,
        cast(ticket_id as integer) as ticket_sequence,
        cast(ticket_number as varchar) as ticket_number,
        cast(source_system as varchar) as source_system,
        cast(slt_code as varchar) as slt_code,
        cast(slt_version as integer) as slt_version,
        cast(phase as varchar) as phase,
        cast(cycle_number as integer) as cycle_number,
        cast(service_code as varchar) as service_code,
        cast(contract_code as varchar) as contract_code,
        cast(business_unit_code as varchar) as business_unit_code,
        cast(team_code as varchar) as team_code,
        cast(priority as integer) as priority,
        cast(calendar_code as varchar) as calendar_code,
        cast(target_seconds as bigint) as target_seconds,
        cast(tolerance_seconds as bigint) as tolerance_seconds,
        cast(start_at as timestamp) as start_at,
        cast(stop_at as timestamp) as stop_at,
        cast(end_at as timestamp) as end_at,
        cast(as_of_at as timestamp) as as_of_at,
        cast(slt_status as varchar) as slt_status,
        cast(wall_seconds as bigint) as wall_seconds,
        cast(paused_seconds as bigint) as paused_seconds,
        cast(outside_calendar_seconds as bigint) as outside_calendar_seconds,
        cast(excluded_seconds as bigint) as excluded_seconds,
        cast(net_seconds as bigint) as net_seconds,
        cast(stopped_seconds as bigint) as stopped_seconds,
        cast(business_seconds as bigint) as business_seconds,
        cast(is_breached_raw as boolean) as is_breached_raw,
        cast(is_breached_adjusted as boolean) as is_breached_adjusted,
        cast(slt_status = 'within_tolerance' as boolean) as is_forgiven,
        cast(original_breach_at as timestamp) as original_breach_at,
        cast(breach_at as timestamp) as breach_at,
        {{ round_half_up_ratio('net_seconds', 'target_seconds', 6) }} as target_used_share,
        cast(
            slt_status = 'running' and net_seconds >= at_risk_share * target_seconds as boolean
        ) as is_at_risk,
        cast(batch_id as varchar) as batch_id
    from judged
)

select * from final
