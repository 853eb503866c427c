with attainments as (
    select * from {{ ref('fct_slt_attainment') }}
    where attainment_status in ('missed', 'attained')
),

plans as (
    select * from {{ ref('improvement_plan') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

-- months that were judged, in order; one without a verdict is not among them, so it neither counts nor breaks a run
numbered as (
    select
        *,
        row_number() over (partition by scope_type, scope_code, slt_code order by period_month)
        - row_number() over (partition by scope_type, scope_code, slt_code, attainment_status order by period_month)
            as island_number,
        max(period_month) over (partition by scope_type, scope_code, slt_code) as last_judged_month
    from attainments
),

placed as (
    select
        *,
        row_number() over (
            partition by scope_type, scope_code, slt_code, island_number order by period_month
        ) as miss_number
    from numbered
    where attainment_status = 'missed'
),

runs as (
    select
        scope_type,
        scope_code,
        slt_code,
        phase,
        min(period_month) as first_missed_month,
        max(period_month) as last_missed_month,
        min(case when miss_number >= misses_required_count then period_month end) as trigger_month,
        min_by(rca_due_days, case when miss_number >= misses_required_count then period_month end) as rca_due_days,
        count(*) as misses_count,
        max(period_month) = max(last_judged_month) as is_continuing,
        sum(result_count) as result_count,
        sum(breached_count) as breached_count,
        sum(overrun_seconds) as overrun_seconds,
        min(attainment_share) as lowest_attainment_share,
        max(attainment_target_share) as attainment_target_share
    from placed
    group by scope_type, scope_code, slt_code, phase, island_number
),

triggered as (
    select
        *,
        {{ add_months('trigger_month', 1) }} as opened_on,
        row_number() over (partition by scope_type, scope_code, slt_code order by first_missed_month)
            as trigger_sequence,
        lead(first_missed_month) over (partition by scope_type, scope_code, slt_code order by first_missed_month)
            as next_first_missed_month
    from runs
    where trigger_month is not null
),

-- the plan for a run: opened before the next run began and not closed before this one did; a live plan before a
-- cancelled one, then the latest
planned as (
    select
        triggered.*,
        run_context.as_of_at,
        {{ add_days('triggered.opened_on', 'triggered.rca_due_days') }} as rca_due_on,
        plans.improvement_plan_code,
        plans.owner_employee_number,
        plans.opened_on as plan_opened_on,
        plans.due_on as plan_due_on,
        plans.closed_on as plan_closed_on,
        plans.plan_state,
        nullif(trim(plans.root_cause), '') as root_cause
    from triggered
    cross join run_context
    left join plans
        on
            triggered.scope_type = plans.scope_type
            and triggered.scope_code = plans.scope_code
            and triggered.slt_code = plans.slt_code
            and cast(run_context.as_of_at as date) >= plans.opened_on
            and (triggered.next_first_missed_month is null or triggered.next_first_missed_month > plans.opened_on)
            and (plans.closed_on is null or triggered.first_missed_month <= plans.closed_on)
    qualify row_number() over (
            partition by triggered.scope_type, triggered.scope_code, triggered.slt_code, triggered.opened_on
            order by
                case when plans.plan_state = 'cancelled' then 1 else 0 end asc,
                plans.opened_on desc nulls last,
                plans.improvement_plan_code asc
        ) = 1
),

judged as (
    select
        *,
        case
            when improvement_plan_code is null and cast(as_of_at as date) <= rca_due_on then 'rca_due'
            when improvement_plan_code is null then 'rca_overdue'
            when plan_state = 'cancelled' then 'plan_cancelled'
            when root_cause is null then 'root_cause_missing'
            when plan_state = 'done' and last_missed_month > plan_closed_on then 'recurred'
            when plan_state = 'done' then 'closed'
            when plan_due_on < cast(as_of_at as date) then 'plan_overdue'
            else 'plan_open'
        end as trigger_status
    from planned
),

final as (
    select
        cast(
            scope_type || ':' || scope_code || ':' || slt_code || ':' || cast(opened_on as varchar) as varchar
        ) as improvement_trigger_key,
        cast(scope_type as varchar) as scope_type,
        cast(scope_code as varchar) as scope_code,
        cast(slt_code as varchar) as slt_code,
        cast(phase as varchar) as phase,
        cast(trigger_sequence as integer) as trigger_sequence,
        cast(opened_on as date) as opened_on,
        cast(rca_due_on as date) as rca_due_on,
        cast(first_missed_month as date) as first_missed_month,
        cast(last_missed_month as date) as last_missed_month,
        cast(misses_count as bigint) as misses_count,
        cast(is_continuing as boolean) as is_continuing,
        cast(attainment_target_share as decimal(18, 6)) as attainment_target_share,
        cast(lowest_attainment_share as decimal(18, 6)) as lowest_attainment_share,
        cast(result_count as bigint) as result_count,
        cast(breached_count as bigint) as breached_count,
        cast(overrun_seconds as bigint) as overrun_seconds,
        cast(trigger_status as varchar) as trigger_status,
        cast(trigger_status not in ('closed', 'plan_open', 'rca_due') as boolean) as is_action_needed,
        cast(improvement_plan_code as varchar) as improvement_plan_code,
        cast(owner_employee_number as varchar) as plan_owner_employee_number,
        cast(plan_state as varchar) as plan_state,
        cast(plan_opened_on as date) as plan_opened_on,
        cast(plan_due_on as date) as plan_due_on,
        cast(plan_closed_on as date) as plan_closed_on,
        cast(root_cause as varchar) as root_cause
    from judged
)

select * from final
