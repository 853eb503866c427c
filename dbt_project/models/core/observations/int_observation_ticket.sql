-- Tickets as those who resolved them are measured.
with courses as (
    select * from {{ ref('int_ticket_course') }}
    where observation_status = 'observed'
),

complexities as (
    select * from {{ ref('int_ticket_complexity') }}
),

response_clocks as (
    select * from {{ ref('int_slt_result') }}
    where phase = 'response' and stop_at is not null and not has_history_contradiction
),

channels as (
    select * from {{ ref('ticket_channel') }}
),

contracts as (
    select * from {{ ref('contract') }}
),

services as (
    select * from {{ ref('service') }}
),

vendor_families as (
    select * from {{ ref('int_vendor_family') }}
),

order_types as (
    select * from {{ ref('order_type') }}
),

-- seconds the desk was open between the opening and the answer: a night does not make a portal ticket slow
business_responses as (
    select
        ticket_key,
        excluded_seconds + net_seconds as business_response_seconds
    from response_clocks
    qualify row_number() over (partition by ticket_key order by cycle_number, slt_code) = 1
),

final as (
    select
        'ticket:' || courses.ticket_key as observation_key,
        courses.resolved_at as observed_at,
        courses.employee_number,
        courses.team_code,
        coalesce(courses.service_code, order_types.service_code) as service_code,
        coalesce(contracts.business_unit_code, order_types.business_unit_code) as business_unit_code,
        vendor_families.primary_vendor_code as vendor_code,
        cast(null as varchar) as slt_code,
        cast(courses.priority as varchar) as priority,
        coalesce(channels.channel_code, 'unknown') as channel,
        complexities.performance_category as category,
        cast(null as varchar) as risk_code,
        complexities.complexity_code,
        cast(null as varchar) as question_code,
        cast(1 as bigint) as ticket_count,
        cast(case when courses.is_first_contact_resolved then 1 else 0 end as bigint) as first_contact_resolved_count,
        cast(case when courses.escalation_count > 0 then 1 else 0 end as bigint) as escalated_count,
        cast(case when courses.reopening_count > 0 then 1 else 0 end as bigint) as reopened_count,
        courses.handover_count,
        cast({{ seconds_between('courses.opened_at', 'courses.resolved_at') }} as bigint) as resolution_seconds,
        cast(case when courses.responded_at is not null then 1 else 0 end as bigint) as responded_count,
        cast(coalesce({{ seconds_between('courses.opened_at', 'courses.responded_at') }}, 0) as bigint)
            as first_response_seconds,
        cast(case when business_responses.ticket_key is not null then 1 else 0 end as bigint)
            as business_responded_count,
        cast(coalesce(business_responses.business_response_seconds, 0) as bigint) as business_response_seconds,
        complexities.complexity_points_value as complexity_points,
        cast(case when order_types.is_order then 1 else 0 end as bigint) as order_count,
        cast(
            case
                when order_types.is_order then {{ seconds_between('courses.opened_at', 'courses.resolved_at') }} else 0
            end as bigint
        ) as order_cycle_seconds,
        courses.batch_id
    from courses
    inner join complexities on courses.ticket_key = complexities.ticket_key
    left join business_responses on courses.ticket_key = business_responses.ticket_key
    left join channels
        on courses.source_system = channels.source_system and lower(courses.source_channel) = channels.source_value
    left join contracts on courses.contract_code = contracts.contract_code
    left join order_types
        on
            courses.source_system = order_types.source_system
            and complexities.source_category = order_types.request_type
            and cast(courses.opened_at as date) >= order_types.effective_from
            and cast(courses.opened_at as date) <= coalesce(order_types.effective_to, date '9999-12-31')
    left join services on coalesce(courses.service_code, order_types.service_code) = services.service_code
    left join vendor_families on services.vendor_code = vendor_families.vendor_code
)

select * from final
