with ticket_slts as (
    select * from {{ ref('fct_ticket_slt') }}
    where stop_at is not null and slt_status in ('met', 'within_tolerance', 'breached')
),

services as (
    select * from {{ ref('service') }}
),

weights as (
    select * from {{ ref('improvement_weight') }}
),

attainment_targets as (
    select * from {{ ref('attainment_target') }}
),

run_context as (
    select as_of_at from {{ ref('int_run_context') }}
),

settled as (
    select
        ticket_slts.slt_code,
        ticket_slts.phase,
        ticket_slts.service_code,
        ticket_slts.team_code,
        {{ month_start('ticket_slts.stop_at') }} as period_month,
        ticket_slts.slt_status = 'breached' as is_missed,
        greatest(ticket_slts.net_seconds - ticket_slts.target_seconds, 0) as overrun_seconds,
        cast(
            coalesce(priority_weights.weight, 1) * coalesce(criticality_weights.weight, 1) as decimal(18, 4)
        ) as impact_weight
    from ticket_slts
    cross join run_context
    left join services on ticket_slts.service_code = services.service_code
    left join weights as priority_weights
        on
            priority_weights.weight_kind = 'priority'
            and cast(ticket_slts.priority as varchar) = priority_weights.weight_code
    left join weights as criticality_weights
        on
            criticality_weights.weight_kind = 'criticality'
            and coalesce(cast(services.criticality as varchar), 'none') = criticality_weights.weight_code
    -- a month that is not over says nothing yet
    where {{ add_months(month_start('ticket_slts.stop_at'), 1) }} <= cast(run_context.as_of_at as date)
),

scoped as (
    select
        *,
        'service' as scope_type,
        service_code as scope_code
    from settled
    where service_code is not null
    union all
    select
        *,
        'team' as scope_type,
        team_code as scope_code
    from settled
    where team_code is not null
),

monthly as (
    select
        scope_type,
        scope_code,
        slt_code,
        phase,
        period_month,
        count(*) as result_count,
        sum(case when is_missed then 0 else 1 end) as met_count,
        sum(case when is_missed then 1 else 0 end) as breached_count,
        sum(case when is_missed then overrun_seconds else 0 end) as overrun_seconds,
        sum(impact_weight) as result_weight,
        sum(case when is_missed then impact_weight else 0 end) as breached_weight
    from scoped
    group by scope_type, scope_code, slt_code, phase, period_month
),

targeted as (
    select
        monthly.*,
        attainment_targets.attainment_target_share,
        attainment_targets.misses_required_count,
        attainment_targets.minimum_result_count,
        attainment_targets.rca_due_days,
        {{ round_half_up_ratio('monthly.met_count', 'monthly.result_count', 6) }} as attainment_share
    from monthly
    left join attainment_targets
        on
            monthly.slt_code = attainment_targets.slt_code
            and monthly.scope_type = attainment_targets.scope_type
            and (attainment_targets.scope_code is null or monthly.scope_code = attainment_targets.scope_code)
            and monthly.period_month >= attainment_targets.effective_from
            and monthly.period_month <= coalesce(attainment_targets.effective_to, date '9999-12-31')
    -- the scope's own row before the one for all of its type
    qualify row_number() over (
            partition by monthly.scope_type, monthly.scope_code, monthly.slt_code, monthly.period_month
            order by attainment_targets.scope_code asc nulls last, attainment_targets.effective_from desc
        ) = 1
),

judged as (
    select
        *,
        case
            when attainment_target_share is null then 'no_target'
            when result_count < minimum_result_count then 'insufficient_data'
            when met_count < attainment_target_share * result_count then 'missed'
            else 'attained'
        end as attainment_status
    from targeted
),

final as (
    select
        cast(scope_type as varchar) as scope_type,
        cast(scope_code as varchar) as scope_code,
        cast(slt_code as varchar) as slt_code,
        cast(phase as varchar) as phase,
        cast(period_month as date) as period_month,
        cast(result_count as bigint) as result_count,
        cast(met_count as bigint) as met_count,
        cast(breached_count as bigint) as breached_count,
        cast(overrun_seconds as bigint) as overrun_seconds,
        cast(result_weight as decimal(18, 4)) as result_weight,
        cast(breached_weight as decimal(18, 4)) as breached_weight,
        cast(attainment_share as decimal(18, 6)) as attainment_share,
        cast(attainment_target_share as decimal(18, 6)) as attainment_target_share,
        cast(attainment_status as varchar) as attainment_status,
        cast(misses_required_count as integer) as misses_required_count,
        cast(rca_due_days as integer) as rca_due_days
    from judged
)

select * from final
