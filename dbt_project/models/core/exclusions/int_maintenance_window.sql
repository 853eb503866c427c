with changes as (
    select * from {{ ref('stg_servicenow__change_requests') }}
),

services as (
    select * from {{ ref('stg_servicenow__services') }}
),

downtimes as (
    select * from {{ ref('stg_datadog__downtimes') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

planned_changes as (
    select
        'change_request' as exclusion_source,
        changes.number as source_reference,
        services.service_code,
        {{ whole_second('changes.planned_start_at') }} as starts_at,
        {{ whole_second('changes.planned_end_at') }} as ends_at,
        case
            when changes.state = '4' then 'change_canceled'
            when coalesce(changes.state, '') not in ('-2', '-1', '0', '3') then 'change_not_approved'
            when changes.change_type = 'emergency' then 'change_not_planned'
        end as source_fault,
        changes.batch_id
    from changes
    left join services on changes.business_service_id = services.service_id
),

-- a downtime called off after it began took effect until then; one called off nobody knows when, never
effective_downtimes as (
    select
        'datadog_downtime' as exclusion_source,
        downtimes.downtime_id as source_reference,
        downtimes.service_code,
        {{ whole_second('downtimes.start_at') }} as starts_at,
        {{ whole_second(
            'least(coalesce(downtimes.end_at, run_context.as_of_at), '
            ~ 'coalesce(downtimes.canceled_at, downtimes.end_at, run_context.as_of_at))'
        ) }} as ends_at,
        case
            when
                downtimes.canceled_at <= downtimes.start_at
                or (downtimes.canceled_at is null and coalesce(downtimes.status, '') in ('canceled', 'cancelled'))
                then 'downtime_canceled'
        end as source_fault,
        downtimes.batch_id
    from downtimes
    cross join run_context
),

windows as (
    select * from planned_changes
    union all
    select * from effective_downtimes
),

judged as (
    select
        exclusion_source || ':' || source_reference as exclusion_id,
        exclusion_source,
        source_reference,
        service_code,
        starts_at,
        ends_at,
        coalesce(
            source_fault,
            case when service_code is null then 'service_missing' end,
            case when starts_at is null or ends_at is null or ends_at <= starts_at then 'window_empty' end
        ) as source_fault,
        batch_id
    from windows
),

-- one row per window: the window of the other system that overlaps it most, where there is one
matched as (
    select
        judged.exclusion_id,
        others.exclusion_id as other_exclusion_id,
        others.starts_at = judged.starts_at and others.ends_at = judged.ends_at as is_same_time
    from judged
    inner join judged as others
        on
            judged.service_code = others.service_code
            and judged.exclusion_source <> others.exclusion_source
            and judged.starts_at < others.ends_at
            and judged.ends_at > others.starts_at
    where judged.source_fault is null and others.source_fault is null
    qualify row_number() over (
            partition by judged.exclusion_id
            order by
                {{ seconds_between(
                    'greatest(judged.starts_at, others.starts_at)', 'least(judged.ends_at, others.ends_at)'
                ) }} desc,
                others.exclusion_id asc
        ) = 1
),

final as (
    select
        judged.exclusion_id,
        judged.exclusion_source,
        judged.source_reference,
        judged.service_code,
        judged.starts_at,
        judged.ends_at,
        -- a downtime silences monitors; that the work was planned and approved is what its change says
        coalesce(
            judged.source_fault,
            case
                when judged.exclusion_source = 'datadog_downtime' and matched.exclusion_id is null
                    then 'change_record_missing'
            end
        ) as refusal_reason,
        matched.other_exclusion_id,
        case
            when judged.source_fault is not null then 'refused'
            when matched.exclusion_id is null then 'in_one_system_only'
            when matched.is_same_time then 'in_agreement'
            else 'times_differ'
        end as sync_status,
        judged.batch_id
    from judged
    left join matched on judged.exclusion_id = matched.exclusion_id
)

select * from final
