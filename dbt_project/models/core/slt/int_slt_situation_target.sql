with situations as (
    select * from {{ ref('int_ticket_situation') }}
),

definitions as (
    select * from {{ ref('int_slt_definition') }}
    where is_attachable
),

targets as (
    select * from {{ ref('slt_target') }}
),

contracts as (
    select * from {{ ref('contract') }}
),

services as (
    select * from {{ ref('service') }}
),

fitting as (
    select
        situations.situation_id,
        situations.exclusion_scope_code,
        contracts.business_unit_code,
        definitions.slt_code,
        definitions.slt_version,
        definitions.exclusion_audience as audience,
        targets.target_seconds,
        targets.tolerance_seconds,
        targets.starts_within_calendar_code,
        targets.effective_from,
        coalesce(targets.effective_to, date '9999-12-31') as effective_to,
        coalesce(targets.calendar_code, services.calendar_code, 'always') as calendar_code,
        -- the row made for the ticket's own contract beats all others, and so on down to the general one
        case when targets.contract_code is not null then 8 else 0 end
        + case when targets.business_unit_code is not null then 4 else 0 end
        + case when targets.service_code is not null then 2 else 0 end
        + case when targets.starts_within_calendar_code is not null then 1 else 0 end as specificity
    from situations
    inner join definitions on situations.source_system = definitions.source_system
    left join contracts on situations.contract_code = contracts.contract_code
    left join services on situations.service_code = services.service_code
    inner join targets
        on
            definitions.slt_code = targets.slt_code
            and definitions.slt_version = targets.slt_version
            and situations.priority = targets.priority
            and (targets.contract_code is null or situations.contract_code = targets.contract_code)
            and (
                targets.business_unit_code is null
                or contracts.business_unit_code = targets.business_unit_code
            )
            and (targets.service_code is null or situations.service_code = targets.service_code)
)

select * from fitting
