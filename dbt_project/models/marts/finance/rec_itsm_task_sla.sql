with attached as (
    select * from {{ ref('stg_servicenow__task_slas') }}
),

definitions as (
    select * from {{ ref('stg_servicenow__sla_definitions') }}
),

mapped_definitions as (
    select * from {{ ref('itsm_sla_definition') }}
    where source_system = 'servicenow'
),

incidents as (
    select * from {{ ref('stg_servicenow__incidents') }}
),

ticket_slts as (
    select * from {{ ref('fct_ticket_slt') }}
    where source_system = 'servicenow'
),

named as (
    select
        'servicenow:' || incidents.number as ticket_key,
        incidents.number as ticket_number,
        mapped_definitions.slt_code,
        definitions.sla_name,
        definitions.duration_seconds as source_target_seconds,
        attached.task_sla_id,
        attached.stage,
        attached.has_breached,
        attached.start_at,
        attached.end_at,
        attached.paused_seconds as source_paused_seconds,
        attached.elapsed_seconds - coalesce(attached.business_elapsed_seconds, attached.elapsed_seconds)
            as source_outside_calendar_seconds,
        coalesce(attached.business_elapsed_seconds, attached.elapsed_seconds) as source_elapsed_seconds,
        coalesce(attached.business_elapsed_share, attached.elapsed_share) as source_elapsed_share,
        attached.batch_id
    from attached
    inner join incidents on attached.task_id = incidents.incident_id
    inner join definitions on attached.sla_definition_id = definitions.sla_definition_id
    inner join mapped_definitions on definitions.sla_name = mapped_definitions.sla_name
),

-- of several the one that was not cancelled decides, and of those the last to start
counted as (
    select
        *,
        count(*) over (partition by ticket_key, slt_code) as attached_count,
        sum(case when stage = 'cancelled' then 1 else 0 end) over (partition by ticket_key, slt_code)
            as canceled_count,
        min(case when stage = 'cancelled' then null else start_at end) over (partition by ticket_key, slt_code)
            as first_start_at,
        row_number() over (
            partition by ticket_key, slt_code
            order by
                case when stage = 'cancelled' then 1 else 0 end asc,
                start_at desc nulls last,
                end_at desc nulls first,
                task_sla_id asc
        ) as decisive_number
    from named
),

compared as (
    select
        counted.ticket_key,
        counted.ticket_number,
        counted.slt_code,
        counted.sla_name,
        counted.task_sla_id,
        counted.stage,
        counted.has_breached,
        counted.attached_count,
        counted.canceled_count,
        counted.source_target_seconds,
        counted.source_elapsed_seconds,
        counted.source_paused_seconds,
        counted.source_outside_calendar_seconds,
        {{ seconds_between('counted.first_start_at', 'counted.start_at') }} as seconds_before_reopening,
        counted.source_elapsed_share,
        counted.end_at,
        ticket_slts.ticket_slt_key,
        ticket_slts.slt_status,
        ticket_slts.target_seconds,
        ticket_slts.paused_seconds,
        ticket_slts.outside_calendar_seconds,
        ticket_slts.business_seconds,
        ticket_slts.net_seconds,
        ticket_slts.is_breached_raw,
        ticket_slts.is_breached_adjusted,
        ticket_slts.stop_at,
        counted.batch_id
    from counted
    left join ticket_slts
        on counted.ticket_key = ticket_slts.ticket_key and counted.slt_code = ticket_slts.slt_code
    where counted.decisive_number = 1
),

judged as (
    select
        *,
        case
            when ticket_slt_key is null then 'missing_right'
            when
                stage not in ('completed', 'achieved', 'breached')
                or has_breached is null
                or slt_status not in ('met', 'within_tolerance', 'breached')
                then 'not_comparable'
            when has_breached = is_breached_adjusted then 'matched'
            else 'verdict_differs'
        end as status
    from compared
),

-- how many seconds the clock of the source would have to read otherwise for the other verdict, and by how many each
-- difference lets it read otherwise in that direction, at the most
turned as (
    select
        *,
        case
            when has_breached then source_elapsed_seconds - target_seconds
            else target_seconds - source_elapsed_seconds + 1
        end as turning_seconds,
        case when has_breached then 1 else -1 end * {{ seconds_between('stop_at', 'end_at') }} as end_seconds,
        case when has_breached then 1 else -1 end * (paused_seconds - source_paused_seconds) as pause_seconds,
        case when has_breached then 1 else -1 end * (outside_calendar_seconds - source_outside_calendar_seconds)
            as calendar_seconds
    from judged
),

-- the first difference that by itself can turn one verdict into the other
final as (
    select
        cast(ticket_key as varchar) as ticket_key,
        cast(ticket_number as varchar) as ticket_number,
        cast(slt_code as varchar) as slt_code,
        cast(ticket_slt_key as varchar) as ticket_slt_key,
        cast(sla_name as varchar) as sla_name,
        cast(task_sla_id as varchar) as task_sla_id,
        cast(stage as varchar) as stage,
        cast(attached_count as bigint) as attached_count,
        cast(canceled_count as bigint) as canceled_count,
        cast(slt_status as varchar) as slt_status,
        cast(has_breached as boolean) as has_breached_at_source,
        cast(is_breached_raw as boolean) as is_breached_raw,
        cast(is_breached_adjusted as boolean) as is_breached_adjusted,
        cast(source_target_seconds as bigint) as source_target_seconds,
        cast(target_seconds as bigint) as target_seconds,
        cast(source_elapsed_seconds as bigint) as source_elapsed_seconds,
        cast(business_seconds as bigint) as business_seconds,
        cast(net_seconds as bigint) as net_seconds,
        cast(source_elapsed_share as decimal(18, 6)) as source_elapsed_share,
        cast(end_at as timestamp) as source_end_at,
        cast(stop_at as timestamp) as stop_at,
        cast(status as varchar) as status,
        cast(case
            when status = 'matched' then 'same_verdict'
            when status = 'missing_right' then 'no_target'
            when status = 'not_comparable' and stage = 'cancelled' then 'source_canceled'
            when status = 'not_comparable' and stage in ('in_progress', 'paused') then 'source_still_runs'
            when status = 'not_comparable' and has_breached is null then 'no_source_verdict'
            when status = 'not_comparable' then 'our_' || slt_status
            when has_breached <> (source_elapsed_share > 1) then 'source_contradicts_itself'
            when has_breached and slt_status = 'within_tolerance' then 'tolerance_applied'
            when has_breached and is_breached_raw then 'exclusion_applied'
            when has_breached <> (source_elapsed_seconds > target_seconds) then 'target_differs'
            when
                attached_count - canceled_count > 1 and is_breached_raw and not has_breached
                and seconds_before_reopening >= turning_seconds
                then 'reopened'
            when end_seconds >= turning_seconds then 'end_differs'
            when pause_seconds >= turning_seconds then 'pause_differs'
            when calendar_seconds >= turning_seconds then 'calendar_differs'
            else 'unexplained'
        end as varchar) as explanation,
        cast(batch_id as varchar) as batch_id
    from turned
)

select * from final
