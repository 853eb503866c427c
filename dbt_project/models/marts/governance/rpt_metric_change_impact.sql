-- What each proposed metric version would have said of each team and paid for it, beside what held, and what is built
-- on the metric. The arithmetic of pay is that of fct_incentive_payout, rounded once per team, quarter and currency.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

metric_activation as (
    select * from {{ ref('int_metric_activation') }}
),

metric_replay as (
    select * from {{ ref('fct_metric_replay') }}
    where period_grain = 'quarter' and entity_type = 'team'
),

incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

plan_component as (
    select * from {{ ref('plan_component') }}
),

achievement_band as (
    select * from {{ ref('achievement_band') }}
),

metric_output as (
    select * from {{ ref('int_metric_output') }}
),

-- not in force at the as-of instant and none that was before
proposal as (
    select
        metric_activation.metric_code,
        metric_activation.metric_version,
        metric_activation.change_request_id,
        metric_activation.proposed_from,
        metric_activation.refusal_reasons
    from metric_activation
    cross join run_context
    where
        not metric_activation.is_activated
        or cast(metric_activation.effective_from as timestamp) > run_context.as_of_at
),

compared as (
    select
        proposal.metric_code,
        proposal.metric_version as proposed_version,
        proposal.change_request_id,
        proposal.proposed_from,
        proposal.refusal_reasons,
        proposed.entity_code as team_code,
        proposed.period_grain,
        proposed.period_start_on,
        proposed.period_end_on,
        proposed.unit,
        proposed.direction,
        current_result.metric_version as current_version,
        current_result.metric_value as current_value,
        current_result.result_status as current_status,
        current_result.sample_count as current_sample_count,
        proposed.metric_value as proposed_value,
        proposed.result_status as proposed_status,
        proposed.sample_count as proposed_sample_count
    from proposal
    inner join metric_replay as proposed
        on
            proposal.metric_code = proposed.metric_code
            and proposal.metric_version = proposed.metric_version
            and proposed.result_kind = 'replayed'
    left join metric_replay as current_result
        on
            proposal.metric_code = current_result.metric_code
            and proposed.entity_code = current_result.entity_code
            and proposed.period_start_on = current_result.period_start_on
            and current_result.result_kind = 'in_force'
),

band as (
    {{ bounded_bands('achievement_band') }}
),

-- the proposed value of every component it decides, on what the bands were climbed by before
component_value as (
    select distinct
        plan_component.plan_code,
        plan_component.plan_version,
        plan_component.tier,
        plan_component.component_code,
        plan_component.band_method,
        plan_component.threshold_value,
        plan_component.accelerator_from_value,
        plan_component.accelerator_factor,
        compared.metric_code,
        compared.proposed_version,
        compared.team_code,
        compared.period_start_on,
        compared.proposed_value as value,
        compared.proposed_status as result_status,
        coalesce(incentive_payout.measured_running_before_value, 0) as running_before_value,
        {{ md5_of([
            'plan_component.plan_code', 'plan_component.plan_version', 'plan_component.tier',
            'plan_component.component_code', 'compared.proposed_version', 'compared.team_code',
            'compared.period_start_on'
        ]) }} as value_key
    from compared
    inner join plan_component on compared.metric_code = plan_component.metric_code
    inner join incentive_payout
        on
            plan_component.plan_code = incentive_payout.plan_code
            and plan_component.plan_version = incentive_payout.plan_version
            and plan_component.tier = incentive_payout.tier
            and plan_component.component_code = incentive_payout.component_code
            and compared.team_code = incentive_payout.team_code
            and compared.period_start_on = incentive_payout.period_start_on
),

component_share as (
    {{ valued_share('component_value', 'band') }}
),

line as (
    select
        compared.metric_code,
        compared.proposed_version,
        compared.team_code,
        compared.period_start_on,
        incentive_payout.employee_number,
        incentive_payout.adjustment_id,
        incentive_payout.currency_code,
        incentive_payout.payout_amount,
        incentive_payout.target_amount,
        incentive_payout.paid_days_value,
        incentive_payout.quarter_days,
        incentive_payout.weight,
        incentive_payout.gate_share,
        incentive_payout.eligible_share,
        incentive_payout.measured_payout_share,
        compared.payout_share as proposed_payout_share
    from component_share as compared
    inner join incentive_payout
        on
            compared.plan_code = incentive_payout.plan_code
            and compared.plan_version = incentive_payout.plan_version
            and compared.tier = incentive_payout.tier
            and compared.component_code = incentive_payout.component_code
            and compared.team_code = incentive_payout.team_code
            and compared.period_start_on = incentive_payout.period_start_on
),

fraction as (
    select
        *,
        {{ line_cent_numerator('measured_payout_share') }} as measured_numerator,
        {{ line_cent_numerator('proposed_payout_share') }} as proposed_numerator,
        {{ line_cent_denominator() }} as cent_denominator
    from line
),

team_pay as (
    select
        metric_code,
        proposed_version,
        team_code,
        period_start_on,
        currency_code,
        count(distinct employee_number) as employee_count,
        count(distinct adjustment_id) as adjustment_count,
        sum(payout_amount) as paid_amount,
        {{ from_integer_units(round_half_up_integer('sum(measured_numerator)', 'max(cent_denominator)'), 2) }}
            as measured_payout_amount,
        {{ from_integer_units(round_half_up_integer('sum(proposed_numerator)', 'max(cent_denominator)'), 2) }}
            as proposed_payout_amount
    from fraction
    group by metric_code, proposed_version, team_code, period_start_on, currency_code
),

component_list as (
    select
        metric_code,
        {{ string_list(
            "plan_code || ' version ' || cast(plan_version as varchar) || ' tier ' || cast(tier as varchar) || ' ' "
            ~ "|| component_code",
            'plan_code, plan_version, tier, component_code'
        ) }} as plan_components
    from plan_component
    group by metric_code
),

output_list as (
    select
        count(*) as downstream_model_count,
        {{ string_list('output_name', 'output_name') }} as downstream_models
    from metric_output
),

final as (
    select
        cast(compared.metric_code as varchar) as metric_code,
        cast(compared.proposed_version as integer) as proposed_version,
        cast(compared.team_code as varchar) as team_code,
        cast(compared.period_grain as varchar) as period_grain,
        cast(compared.period_start_on as date) as period_start_on,
        cast(compared.period_end_on as date) as period_end_on,
        cast(coalesce(team_pay.currency_code, '') as varchar) as currency_code,
        cast(compared.change_request_id as varchar) as change_request_id,
        cast(compared.proposed_from as date) as proposed_effective_from,
        cast(compared.refusal_reasons as varchar) as refusal_reasons,
        cast(compared.unit as varchar) as unit,
        cast(compared.direction as varchar) as direction,
        cast(compared.current_version as integer) as current_version,
        cast(compared.current_value as decimal(18, 6)) as current_value,
        cast(compared.current_status as varchar) as current_status,
        cast(compared.current_sample_count as bigint) as current_sample_count,
        cast(compared.proposed_value as decimal(18, 6)) as proposed_value,
        cast(compared.proposed_status as varchar) as proposed_status,
        cast(compared.proposed_sample_count as bigint) as proposed_sample_count,
        cast(compared.proposed_value - compared.current_value as decimal(18, 6)) as difference_value,
        cast(coalesce(team_pay.employee_count, 0) as integer) as employee_count,
        cast(coalesce(team_pay.adjustment_count, 0) as integer) as adjustment_count,
        cast(coalesce(team_pay.paid_amount, 0) as decimal(18, 2)) as paid_amount,
        cast(coalesce(team_pay.measured_payout_amount, 0) as decimal(18, 2)) as measured_payout_amount,
        cast(coalesce(team_pay.proposed_payout_amount, 0) as decimal(18, 2)) as proposed_payout_amount,
        cast(coalesce(team_pay.proposed_payout_amount - team_pay.measured_payout_amount, 0) as decimal(18, 2))
            as difference_amount,
        cast(component_list.plan_components as varchar) as plan_components,
        cast(output_list.downstream_model_count as integer) as downstream_model_count,
        cast(output_list.downstream_models as varchar) as downstream_models
    from compared
    cross join output_list
    left join team_pay
        on
            compared.metric_code = team_pay.metric_code
            and compared.proposed_version = team_pay.proposed_version
            and compared.team_code = team_pay.team_code
            and compared.period_start_on = team_pay.period_start_on
    left join component_list on compared.metric_code = component_list.metric_code
)

select * from final
