-- Every entity the connectors know, whether its source is configured, and the promise in force.
with entities as (
    select * from {{ source('landing', 'source_entity') }}
),

status as (
    select * from {{ source('landing', 'source_status') }}
),

run_context as (
    select * from {{ source('landing', 'run_context') }}
),

promises as (
    select * from {{ ref('source_sla') }}
),

-- landing stamps by the wall clock; a run that takes another instant as now moves all of them by the same stretch
run as (
    select
        {{ whole_second('as_of_at') }} as as_of_at,
        {{ seconds_between('started_at', 'as_of_at') }} as shift_seconds
    from run_context
    qualify row_number() over (order by started_at desc nulls last, run_id desc) = 1
),

final as (
    select
        entities.source as source_name,
        entities.entity as entity_name,
        entities.partitioning,
        coalesce(status.is_configured, false) as is_configured,
        coalesce(status.reason, 'this run did not look for it') as configuration_reason,
        promises.source_name is not null as has_governed_promise,
        cast(promises.promised_hours as bigint) * 3600 as promised_seconds,
        promises.calendar_code,
        promises.severity,
        promises.owner_team,
        promises.contact,
        cast(promises.effective_from as timestamp) as promised_from_at,
        run.as_of_at,
        run.shift_seconds
    from entities
    cross join run
    left join status on entities.source = status.source
    left join promises
        on
            entities.source = promises.source_name
            and promises.entity_name in (entities.entity, '*')
            and cast(run.as_of_at as date) between promises.effective_from
            and coalesce(promises.effective_to, date '9999-12-31')
    qualify row_number() over (
            partition by entities.source, entities.entity
            order by
                case when promises.entity_name = '*' then 1 else 0 end,
                promises.effective_from desc nulls last
        ) = 1
)

select * from final
