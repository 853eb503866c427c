-- What each person earned in each closed quarter: one line per (person, segment of constant team, target and
-- currency, plan component), by the team's result, what counter-metrics leave of it, and what the person is eligible
-- for. Exact on whole numbers up to the one rounding of the person's quarter total; the cents are laid on the lines by
-- largest remainder.
with incentive_period as (
    select * from {{ ref('int_incentive_period') }}
    where is_complete
),

employee_assignment as (
    select * from {{ ref('int_employee_assignment') }}
    where is_in_incentive_plan
),

team as (
    select * from {{ ref('team') }}
),

plan_component as (
    select * from {{ ref('plan_component') }}
),

component_weight as (
    select * from {{ ref('int_component_weight') }}
),

lifecycle_weight as (
    select * from {{ ref('int_lifecycle_weight') }}
),

counter_gate as (
    select * from {{ ref('counter_gate') }}
),

eligibility as (
    select * from {{ ref('fct_eligibility') }}
),

work_share as (
    select * from {{ ref('int_work_share') }}
),

plan_activation as (
    select * from {{ ref('int_plan_activation') }}
    where is_activated
),

achievement_band as (
    select * from {{ ref('achievement_band') }}
),

fct_metric_result as (
    select * from {{ ref('fct_metric_result') }}
    where period_grain = 'quarter' and entity_type = 'team'
),

score_adjustment_effect as (
    select * from {{ ref('fct_score_adjustment_effect') }}
    where is_applied
),

segment as (
    select
        incentive_period.plan_code,
        incentive_period.plan_version,
        incentive_period.earned_quarter,
        incentive_period.period_start_on,
        incentive_period.period_end_on,
        incentive_period.quarter_days,
        incentive_period.payment_period,
        employee_assignment.employee_number,
        employee_assignment.country_code,
        employee_assignment.team_code,
        employee_assignment.quarterly_target_amount as target_amount,
        employee_assignment.currency_code,
        employee_assignment.employee_batch_id,
        employee_assignment.job_info_batch_id,
        employee_assignment.incentive_target_batch_id,
        greatest(employee_assignment.assigned_from_on, incentive_period.period_start_on) as segment_start_on,
        -- exclusive; an open end reaches to the quarter's end
        least(
            coalesce(employee_assignment.assigned_to_on, incentive_period.period_end_on),
            incentive_period.period_end_on
        ) as segment_to_on
    from incentive_period
    inner join employee_assignment
        on
            incentive_period.period_end_on > employee_assignment.assigned_from_on
            and (
                employee_assignment.assigned_to_on is null
                or incentive_period.period_start_on < employee_assignment.assigned_to_on
            )
    -- a version pays in a country from the first quarter after all the country demands was signed
    inner join plan_activation
        on
            incentive_period.plan_code = plan_activation.plan_code
            and incentive_period.plan_version = plan_activation.plan_version
            and coalesce(employee_assignment.country_code, '') = plan_activation.country_code
            and incentive_period.period_start_on >= plan_activation.effective_from
),

-- the value pay uses: the measured one, unless an adjustment with all its signatures moved it
paid_result as (
    select
        fct_metric_result.metric_result_key,
        fct_metric_result.metric_code,
        fct_metric_result.entity_code,
        fct_metric_result.period_start_on,
        fct_metric_result.metric_value,
        fct_metric_result.result_status,
        score_adjustment_effect.adjustment_id,
        coalesce(score_adjustment_effect.adjusted_value, fct_metric_result.metric_value) as paid_value
    from fct_metric_result
    left join score_adjustment_effect
        on fct_metric_result.metric_result_key = score_adjustment_effect.metric_result_key
),

band as (
    {{ bounded_bands('achievement_band') }}
),

-- every component with the quarters' results of each team it is for, by the value pay uses and by the measured one
component_result as (
    select
        incentive_period.plan_code,
        incentive_period.plan_version,
        incentive_period.period_start_on,
        team.team_code,
        plan_component.tier,
        plan_component.component_code,
        plan_component.band_method,
        plan_component.processing_grain,
        plan_component.threshold_value,
        plan_component.accelerator_from_value,
        plan_component.accelerator_factor,
        paid_result.metric_result_key,
        paid_result.metric_value,
        paid_result.adjustment_id,
        paid_result.paid_value,
        paid_result.result_status
    from incentive_period
    inner join plan_component
        on
            incentive_period.plan_code = plan_component.plan_code
            and incentive_period.plan_version = plan_component.plan_version
    inner join team on plan_component.tier = team.tier
    inner join paid_result
        on
            plan_component.metric_code = paid_result.metric_code
            and team.team_code = paid_result.entity_code
            and incentive_period.period_start_on = paid_result.period_start_on
),

two_values as (
    select
        *,
        'paid' as value_kind,
        paid_value as value
    from component_result

    union all

    select
        *,
        'measured' as value_kind,
        metric_value as value
    from component_result
),

-- cumulative components climb their bands once over all quarters a plan version pays for
running as (
    {{ running_value('two_values', ['value_kind']) }}
),

component_share as (
    {{ valued_share('running', 'band') }}
),

-- a counter-metric out of its bounds leaves only a share of the component it holds in check; of several the strictest
-- counts. One with too little data says nothing, so it takes nothing away.
gate as (
    {{ gated_share('component_result', 'counter_gate', 'paid_result') }}
),

-- of several conditions not met the strictest counts
eligible as (
    select
        plan_code,
        plan_version,
        employee_number,
        earned_quarter,
        team_code,
        min(eligible_share) as eligible_share,
        {{ string_list('case when not is_met then reason end', 'rule_code') }} as ineligible_reasons
    from eligibility
    group by plan_code, plan_version, employee_number, earned_quarter, team_code
),

-- days that do not count whole are taken out by what they lack
reduced as (
    select
        segment.plan_code,
        segment.plan_version,
        segment.employee_number,
        segment.earned_quarter,
        segment.segment_start_on,
        sum(
            {{ day_count(
                'greatest(segment.segment_start_on, work_share.from_on)',
                'least(segment.segment_to_on, work_share.to_on)'
            ) }} * (1 - work_share.work_share)
        ) as reduced_days
    from segment
    inner join work_share
        on
            segment.employee_number = work_share.employee_number
            and segment.segment_start_on < work_share.to_on
            and segment.segment_to_on > work_share.from_on
    group by
        segment.plan_code,
        segment.plan_version,
        segment.employee_number,
        segment.earned_quarter,
        segment.segment_start_on
),

-- a result that is missing or rests on too few events stays without a share and pays nothing
line as (
    select
        segment.*,
        cast({{ day_count('segment.segment_start_on', 'segment.segment_to_on') }} as integer) as segment_days,
        cast(
            {{ day_count('segment.segment_start_on', 'segment.segment_to_on') }} - coalesce(reduced.reduced_days, 0)
            as decimal(18, 4)
        ) as paid_days_value,
        team.tier,
        team.cost_centre_code,
        plan_component.component_code,
        coalesce(component_weight.weight, lifecycle_weight.weight, plan_component.weight) as weight,
        case
            when component_weight.weight is not null then 'adjustment'
            when lifecycle_weight.weight is not null then 'lifecycle'
            else 'plan'
        end as weight_source,
        lifecycle_weight.phase as lifecycle_phase,
        plan_component.role as component_role,
        plan_component.band_method,
        paid.metric_result_key,
        paid.metric_value,
        paid.adjustment_id,
        paid.paid_value,
        paid.result_status,
        coalesce(paid.running_before_value, 0) as running_before_value,
        coalesce(measured.running_before_value, 0) as measured_running_before_value,
        coalesce(paid.payout_share, 0) as payout_share,
        coalesce(measured.payout_share, 0) as measured_payout_share,
        coalesce(gate.gate_share, 1) as gate_share,
        gate.gate_reason,
        coalesce(eligible.eligible_share, 1) as eligible_share,
        eligible.ineligible_reasons
    from segment
    inner join team on segment.team_code = team.team_code
    inner join plan_component
        on
            segment.plan_code = plan_component.plan_code
            and segment.plan_version = plan_component.plan_version
            and team.tier = plan_component.tier
    -- weights an effective adjustment puts in place of all others
    left join component_weight
        on
            plan_component.plan_code = component_weight.plan_code
            and plan_component.plan_version = component_weight.plan_version
            and plan_component.tier = component_weight.tier
            and plan_component.component_code = component_weight.component_code
            and segment.earned_quarter = component_weight.earned_quarter
    -- weights of the phase of life the team's leading service is in
    left join lifecycle_weight
        on
            plan_component.plan_code = lifecycle_weight.plan_code
            and plan_component.plan_version = lifecycle_weight.plan_version
            and plan_component.component_code = lifecycle_weight.component_code
            and segment.team_code = lifecycle_weight.team_code
            and segment.earned_quarter = lifecycle_weight.earned_quarter
    left join component_share as paid
        on
            plan_component.plan_code = paid.plan_code
            and plan_component.plan_version = paid.plan_version
            and plan_component.tier = paid.tier
            and plan_component.component_code = paid.component_code
            and segment.team_code = paid.team_code
            and segment.period_start_on = paid.period_start_on
            and paid.value_kind = 'paid'
    left join component_share as measured
        on
            plan_component.plan_code = measured.plan_code
            and plan_component.plan_version = measured.plan_version
            and plan_component.tier = measured.tier
            and plan_component.component_code = measured.component_code
            and segment.team_code = measured.team_code
            and segment.period_start_on = measured.period_start_on
            and measured.value_kind = 'measured'
    left join gate
        on
            plan_component.plan_code = gate.plan_code
            and plan_component.plan_version = gate.plan_version
            and plan_component.tier = gate.tier
            and plan_component.component_code = gate.component_code
            and segment.team_code = gate.team_code
            and segment.period_start_on = gate.period_start_on
    left join eligible
        on
            segment.plan_code = eligible.plan_code
            and segment.plan_version = eligible.plan_version
            and segment.employee_number = eligible.employee_number
            and segment.earned_quarter = eligible.earned_quarter
            and segment.team_code = eligible.team_code
    left join reduced
        on
            segment.plan_code = reduced.plan_code
            and segment.plan_version = reduced.plan_version
            and segment.employee_number = reduced.employee_number
            and segment.earned_quarter = reduced.earned_quarter
            and segment.segment_start_on = reduced.segment_start_on
),

-- the line's exact amount in cents is numerator / denominator
fraction as (
    select
        *,
        {{ line_cent_numerator('payout_share') }} as cent_numerator,
        {{ line_cent_denominator() }} as cent_denominator
    from line
),

allocated as (
    select
        *,
        {{ allocate_largest_remainder(
            'cent_numerator',
            'cent_denominator',
            'plan_code, plan_version, employee_number, earned_quarter, currency_code',
            'segment_start_on, component_code'
        ) }} as payout_cents
    from fraction
),

final as (
    select
        cast({{ md5_of([
            'plan_code', 'plan_version', 'employee_number', 'earned_quarter', 'segment_start_on', 'component_code',
            'currency_code'
        ]) }} as varchar) as payout_line_id,
        cast(plan_code as varchar) as plan_code,
        cast(plan_version as integer) as plan_version,
        cast(employee_number as varchar) as employee_number,
        cast(earned_quarter as varchar) as earned_quarter,
        cast(period_start_on as date) as period_start_on,
        cast(period_end_on as date) as period_end_on,
        cast(segment_start_on as date) as segment_start_on,
        cast({{ add_days('segment_to_on', -1) }} as date) as segment_end_on,
        cast(segment_days as integer) as segment_days,
        cast(paid_days_value as decimal(18, 4)) as paid_days_value,
        cast(quarter_days as integer) as quarter_days,
        cast(team_code as varchar) as team_code,
        cast(tier as integer) as tier,
        cast(country_code as varchar) as country_code,
        cast(cost_centre_code as varchar) as cost_centre_code,
        cast(component_code as varchar) as component_code,
        cast(metric_result_key as varchar) as metric_result_key,
        cast(metric_value as decimal(18, 6)) as metric_value,
        cast(adjustment_id as varchar) as adjustment_id,
        cast(paid_value as decimal(18, 6)) as paid_value,
        cast(coalesce(result_status, 'insufficient_data') as varchar) as result_status,
        cast(band_method as varchar) as band_method,
        cast(component_role as varchar) as component_role,
        cast(running_before_value as decimal(18, 6)) as running_before_value,
        cast(measured_running_before_value as decimal(18, 6)) as measured_running_before_value,
        cast(payout_share as decimal(9, 4)) as payout_share,
        cast(measured_payout_share as decimal(9, 4)) as measured_payout_share,
        cast(gate_share as decimal(9, 4)) as gate_share,
        cast(gate_reason as varchar) as gate_reason,
        cast(eligible_share as decimal(9, 4)) as eligible_share,
        cast(ineligible_reasons as varchar) as ineligible_reasons,
        cast(weight as decimal(9, 4)) as weight,
        cast(weight_source as varchar) as weight_source,
        cast(lifecycle_phase as varchar) as lifecycle_phase,
        cast(target_amount as decimal(18, 2)) as target_amount,
        cast({{ from_integer_units('payout_cents', 2) }} as decimal(18, 2)) as payout_amount,
        cast(currency_code as varchar) as currency_code,
        cast(payment_period as varchar) as payment_period,
        cast('calculated' as varchar) as payout_status,
        cast(employee_batch_id as varchar) as employee_batch_id,
        cast(job_info_batch_id as varchar) as job_info_batch_id,
        cast(incentive_target_batch_id as varchar) as incentive_target_batch_id
    from allocated
)

select * from final
