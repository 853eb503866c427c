with relaxation as (
    select * from {{ ref('int_target_relaxation') }}
),

fct_ticket_slt as (
    select * from {{ ref('fct_ticket_slt') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

stopped as (
    select
        slt_code,
        slt_version,
        service_code,
        priority,
        cast(start_at as date) as start_on,
        {{ month_start('stop_at') }} as month_on,
        net_seconds,
        tolerance_seconds,
        slt_status = 'breached' as is_missed
    from fct_ticket_slt
    where slt_status in ('met', 'within_tolerance', 'breached') and stop_at is not null
),

service_month as (
    select
        slt_code,
        slt_version,
        service_code,
        month_on,
        count(*) as ticket_count,
        count(case when is_missed then 1 end) as missed_count
    from stopped
    group by slt_code, slt_version, service_code, month_on
),

covered as (
    select
        relaxation.relaxation_id,
        stopped.month_on,
        count(*) as ticket_count,
        count(case when stopped.is_missed then 1 end) as missed_count,
        count(
            case
                when
                    relaxation.is_effective
                    and stopped.is_missed
                    and stopped.net_seconds <= relaxation.relaxed_target_seconds + stopped.tolerance_seconds
                    then 1
            end
        ) as relieved_count
    from relaxation
    inner join stopped
        on
            relaxation.slt_code = stopped.slt_code
            and relaxation.slt_version = stopped.slt_version
            and relaxation.service_code = stopped.service_code
            and relaxation.priority = stopped.priority
            and relaxation.starts_on <= stopped.start_on
            and relaxation.ends_on >= stopped.start_on
    group by relaxation.relaxation_id, stopped.month_on
),

placed as (
    select
        relaxation.*,
        coalesce(covered.month_on, {{ month_start('relaxation.starts_on') }}) as month_on,
        coalesce(covered.ticket_count, 0) as ticket_count,
        coalesce(covered.missed_count, 0) as missed_count,
        coalesce(covered.relieved_count, 0) as relieved_count
    from relaxation
    left join covered on relaxation.relaxation_id = covered.relaxation_id
),

final as (
    select
        cast(placed.relaxation_id as varchar) as relaxation_id,
        cast(placed.slt_code as varchar) as slt_code,
        cast(placed.slt_version as integer) as slt_version,
        cast(placed.service_code as varchar) as service_code,
        cast(placed.priority as integer) as priority,
        cast(placed.exclusion_id as varchar) as exclusion_id,
        cast(placed.outage_starts_at as timestamp) as outage_starts_at,
        cast(placed.outage_ends_at as timestamp) as outage_ends_at,
        cast(placed.starts_on as date) as starts_on,
        cast(placed.ends_on as date) as ends_on,
        cast(placed.justification as varchar) as justification,
        cast(placed.requested_by as varchar) as requested_by,
        cast(placed.requested_on as date) as requested_on,
        cast(placed.gate_at as timestamp) as approved_at,
        cast(placed.gate_due_on as date) as approval_due_on,
        cast(placed.is_effective as boolean) as is_effective,
        cast(placed.refusal_reasons as varchar) as refusal_reasons,
        cast(placed.plain_target_seconds as bigint) as plain_target_seconds,
        cast(placed.relaxed_target_seconds as bigint) as relaxed_target_seconds,
        cast(placed.month_on as date) as period_month,
        cast(placed.ticket_count as integer) as ticket_count,
        cast(placed.missed_count as integer) as missed_count,
        cast(placed.relieved_count as integer) as relieved_count,
        cast(coalesce(service_month.ticket_count, 0) as integer) as month_ticket_count,
        cast(coalesce(service_month.missed_count, 0) as integer) as month_missed_count,
        {{ round_half_up_ratio(
            'service_month.ticket_count - service_month.missed_count', 'service_month.ticket_count', 6
        ) }} as attainment_share,
        {{ round_half_up_ratio(
            'service_month.ticket_count - service_month.missed_count + placed.relieved_count',
            'service_month.ticket_count',
            6
        ) }} as relaxed_attainment_share,
        cast(run_context.as_of_at as timestamp) as as_of_at
    from placed
    cross join run_context
    left join service_month
        on
            placed.slt_code = service_month.slt_code
            and placed.slt_version = service_month.slt_version
            and placed.service_code = service_month.service_code
            and placed.month_on = service_month.month_on
)

select * from final
