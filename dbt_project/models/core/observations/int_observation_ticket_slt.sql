-- One finished clock of a ticket: what fct_ticket_slt calls met, within_tolerance or breached.
with slt_result as (
    select * from {{ ref('int_slt_result') }}
),

ticket as (
    select * from {{ ref('int_ticket') }}
),

service as (
    select * from {{ ref('service') }}
),

vendor_family as (
    select * from {{ ref('int_vendor_family') }}
),

final as (
    select
        slt_result.ticket_slt_key as observation_key,
        slt_result.stop_at as observed_at,
        ticket.assigned_employee_number as employee_number,
        slt_result.team_code,
        slt_result.service_code,
        slt_result.business_unit_code,
        vendor_family.primary_vendor_code as vendor_code,
        slt_result.slt_code,
        cast(slt_result.priority as varchar) as priority,
        ticket.channel,
        cast(null as varchar) as category,
        cast(null as varchar) as risk_code,
        cast(null as varchar) as complexity_code,
        cast(null as varchar) as question_code,
        cast(
            case
                when slt_result.excluded_seconds + slt_result.net_seconds <= slt_result.target_seconds then 1
                else 0
            end as bigint
        ) as raw_met_count,
        cast(
            case
                when slt_result.net_seconds - slt_result.target_seconds <= slt_result.tolerance_seconds then 1
                when slt_result.net_seconds <= slt_result.target_seconds then 1
                else 0
            end as bigint
        ) as adjusted_met_count,
        cast(1 as bigint) as ticket_count,
        cast(slt_result.net_seconds as bigint) as net_seconds,
        cast(slt_result.excluded_seconds + slt_result.net_seconds as bigint) as business_seconds,
        slt_result.batch_id
    from slt_result
    inner join ticket on slt_result.ticket_key = ticket.ticket_key
    left join service on slt_result.service_code = service.service_code
    left join vendor_family on service.vendor_code = vendor_family.vendor_code
    where
        slt_result.stop_at is not null
        and slt_result.canceled_at is null
        and not slt_result.has_history_contradiction
)

select * from final
