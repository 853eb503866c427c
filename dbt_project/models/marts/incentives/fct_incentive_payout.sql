-- What each person earned in each closed quarter: one line per (person, segment of constant team, target and
-- currency, plan component). Exact on whole numbers up to the one rounding of the person's quarter total; the
-- cents are laid on the lines by largest remainder.
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

-- a result that is missing or rests on too few events stays without a band and pays nothing
line as (
    select
        segment.*,
        cast({{ day_count('segment.segment_start_on', 'segment.segment_to_on') }} as integer) as segment_days,
        team.tier,
        team.cost_centre_code,
        plan_component.component_code,
        coalesce(component_weight.weight, plan_component.weight) as weight,
        plan_component.band_method,
        paid_result.metric_result_key,
        paid_result.metric_value,
        paid_result.adjustment_id,
        paid_result.paid_value,
        paid_result.result_status,
        {{ earned_share(
            'paid_result.paid_value', 'paid_result.result_status', 'plan_component.band_method', 'band'
        ) }} as payout_share,
        {{ earned_share(
            'paid_result.metric_value', 'paid_result.result_status', 'plan_component.band_method', 'raw_band'
        ) }} as measured_payout_share
    from segment
    inner join team on segment.team_code = team.team_code
    inner join plan_component
        on
            segment.plan_code = plan_component.plan_code
            and segment.plan_version = plan_component.plan_version
            and team.tier = plan_component.tier
    -- weights an effective adjustment puts in place of the plan's
    left join component_weight
        on
            plan_component.plan_code = component_weight.plan_code
            and plan_component.plan_version = component_weight.plan_version
            and plan_component.tier = component_weight.tier
            and plan_component.component_code = component_weight.component_code
            and segment.earned_quarter = component_weight.earned_quarter
    left join paid_result
        on
            plan_component.metric_code = paid_result.metric_code
            and segment.team_code = paid_result.entity_code
            and segment.period_start_on = paid_result.period_start_on
    left join band
        on
            plan_component.plan_code = band.plan_code
            and plan_component.plan_version = band.plan_version
            and plan_component.component_code = band.component_code
            and paid_result.paid_value >= band.lower_bound
            and (band.upper_bound is null or paid_result.paid_value < band.upper_bound)
    left join band as raw_band
        on
            plan_component.plan_code = raw_band.plan_code
            and plan_component.plan_version = raw_band.plan_version
            and plan_component.component_code = raw_band.component_code
            and paid_result.metric_value >= raw_band.lower_bound
            and (raw_band.upper_bound is null or paid_result.metric_value < raw_band.upper_bound)
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
        cast(payout_share as decimal(9, 4)) as payout_share,
        cast(measured_payout_share as decimal(9, 4)) as measured_payout_share,
        cast(weight as decimal(9, 4)) as weight,
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
