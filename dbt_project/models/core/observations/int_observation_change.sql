-- Implemented changes whose outcome is known.
with outcomes as (
    select * from {{ ref('int_change_outcome') }}
    where observation_status = 'observed'
),

services as (
    select * from {{ ref('service') }}
),

vendor_families as (
    select * from {{ ref('int_vendor_family') }}
),

final as (
    select
        'change:' || outcomes.change_request_key as observation_key,
        outcomes.planned_end_at as observed_at,
        cast(null as varchar) as employee_number,
        outcomes.team_code,
        outcomes.service_code,
        cast(null as varchar) as business_unit_code,
        vendor_families.primary_vendor_code as vendor_code,
        cast(null as varchar) as slt_code,
        cast(null as varchar) as priority,
        cast(null as varchar) as channel,
        outcomes.change_type as category,
        outcomes.risk_code,
        cast(null as varchar) as complexity_code,
        cast(null as varchar) as question_code,
        cast(1 as bigint) as change_count,
        cast(case when outcomes.is_failed_by_code or outcomes.failure_incident_count > 0 then 1 else 0 end as bigint)
            as failed_count,
        outcomes.defect_count,
        cast(case when outcomes.defect_count > 0 then 1 else 0 end as bigint) as defective_count,
        outcomes.batch_id
    from outcomes
    left join services on outcomes.service_code = services.service_code
    left join vendor_families on services.vendor_code = vendor_families.vendor_code
)

select * from final
