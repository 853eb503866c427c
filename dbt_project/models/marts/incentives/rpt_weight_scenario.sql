{%- set fewest = var('fewest_persons_shown') -%}
-- What past quarters would have paid under proposed weights or another plan version, beside what they paid, and whom
-- it moves. Bands, gates and the arithmetic of pay are those of fct_incentive_payout; days paid and eligibility are as
-- they were, and cumulative components of another version climb from the first quarter of the scenario.
with weight_scenario as (
    select * from {{ ref('weight_scenario') }}
),

weight_scenario_component as (
    select * from {{ ref('weight_scenario_component') }}
),

plan_component as (
    select * from {{ ref('plan_component') }}
),

achievement_band as (
    select * from {{ ref('achievement_band') }}
),

counter_gate as (
    select * from {{ ref('counter_gate') }}
),

incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

metric_result as (
    select * from {{ ref('fct_metric_result') }}
    where period_grain = 'quarter' and entity_type = 'team'
),

score_adjustment_effect as (
    select * from {{ ref('fct_score_adjustment_effect') }}
    where is_applied
),

proposed_version as (
    select
        weight_scenario.scenario_code,
        count(plan_component.component_code) as component_count
    from weight_scenario
    left join plan_component
        on
            weight_scenario.proposed_plan_code = plan_component.plan_code
            and weight_scenario.proposed_plan_version = plan_component.plan_version
    group by weight_scenario.scenario_code
),

plan_tier as (
    select
        plan_code,
        plan_version,
        tier,
        count(*) as component_count
    from plan_component
    group by plan_code, plan_version, tier
),

-- the weights a tier would have, all of them: one left out is no proposal
proposed_tier as (
    select
        weight_scenario.scenario_code,
        weight_scenario_component.tier,
        sum(weight_scenario_component.weight) as tier_weight,
        min(weight_scenario_component.weight) as least_weight,
        count(*) as proposed_count,
        count(plan_component.component_code) as known_count,
        max(plan_tier.component_count) as component_count
    from weight_scenario
    inner join weight_scenario_component
        on weight_scenario.scenario_code = weight_scenario_component.scenario_code
    left join plan_component
        on
            weight_scenario.proposed_plan_code = plan_component.plan_code
            and weight_scenario.proposed_plan_version = plan_component.plan_version
            and weight_scenario_component.tier = plan_component.tier
            and weight_scenario_component.component_code = plan_component.component_code
    left join plan_tier
        on
            weight_scenario.proposed_plan_code = plan_tier.plan_code
            and weight_scenario.proposed_plan_version = plan_tier.plan_version
            and weight_scenario_component.tier = plan_tier.tier
    group by weight_scenario.scenario_code, weight_scenario_component.tier
),

fault as (
    select
        scenario_code,
        max(case when known_count < proposed_count then 1 else 0 end) as unknown_number,
        max(case when least_weight < 0 then 1 else 0 end) as negative_number,
        max(case when tier_weight <> 1 or proposed_count < component_count then 1 else 0 end) as sum_number
    from proposed_tier
    group by scenario_code
),

scenario as (
    select
        weight_scenario.*,
        case
            when proposed_version.component_count = 0 then 'unknown_plan_version'
            when fault.unknown_number = 1 then 'unknown_component'
            when fault.negative_number = 1 then 'negative_weight'
            when fault.sum_number = 1 then 'weights_do_not_sum_to_one'
            else 'ok'
        end as scenario_status
    from weight_scenario
    inner join proposed_version on weight_scenario.scenario_code = proposed_version.scenario_code
    left join fault on weight_scenario.scenario_code = fault.scenario_code
),

paid as (
    select
        scenario.scenario_code,
        scenario.proposed_plan_code,
        scenario.proposed_plan_version,
        incentive_payout.plan_code,
        incentive_payout.plan_version,
        incentive_payout.employee_number,
        incentive_payout.earned_quarter,
        incentive_payout.period_start_on,
        incentive_payout.segment_start_on,
        incentive_payout.paid_days_value,
        incentive_payout.quarter_days,
        incentive_payout.team_code,
        incentive_payout.tier,
        incentive_payout.country_code,
        incentive_payout.target_amount,
        incentive_payout.currency_code,
        incentive_payout.component_code,
        incentive_payout.weight,
        incentive_payout.payout_share,
        incentive_payout.gate_share,
        incentive_payout.eligible_share,
        incentive_payout.payout_amount
    from scenario
    inner join incentive_payout
        on
            scenario.plan_code = incentive_payout.plan_code
            and scenario.plan_version = incentive_payout.plan_version
            and scenario.first_quarter_start_on <= incentive_payout.period_start_on
            and scenario.last_quarter_start_on >= incentive_payout.period_start_on
    where scenario.scenario_status = 'ok'
),

segment as (
    select distinct
        scenario_code,
        proposed_plan_code,
        proposed_plan_version,
        plan_code,
        plan_version,
        employee_number,
        earned_quarter,
        period_start_on,
        segment_start_on,
        paid_days_value,
        quarter_days,
        team_code,
        tier,
        country_code,
        target_amount,
        currency_code,
        eligible_share
    from paid
),

paid_result as (
    select
        metric_result.metric_code,
        metric_result.entity_code,
        metric_result.period_start_on,
        metric_result.result_status,
        coalesce(score_adjustment_effect.adjusted_value, metric_result.metric_value) as paid_value
    from metric_result
    left join score_adjustment_effect
        on metric_result.metric_result_key = score_adjustment_effect.metric_result_key
),

band as (
    {{ bounded_bands('achievement_band') }}
),

-- the proposed version's components on the results of the scenario's quarters: what it would have counted and reached
component_result as (
    select distinct
        segment.scenario_code,
        segment.proposed_plan_code as plan_code,
        segment.proposed_plan_version as plan_version,
        segment.tier,
        segment.team_code,
        segment.period_start_on,
        plan_component.component_code,
        plan_component.band_method,
        plan_component.processing_grain,
        plan_component.threshold_value,
        plan_component.accelerator_from_value,
        plan_component.accelerator_factor,
        paid_result.paid_value as value,
        paid_result.result_status
    from segment
    inner join plan_component
        on
            segment.proposed_plan_code = plan_component.plan_code
            and segment.proposed_plan_version = plan_component.plan_version
            and segment.tier = plan_component.tier
    inner join paid_result
        on
            plan_component.metric_code = paid_result.metric_code
            and segment.team_code = paid_result.entity_code
            and segment.period_start_on = paid_result.period_start_on
),

running as (
    {{ running_value('component_result', ['scenario_code']) }}
),

component_share as (
    {{ valued_share('running', 'band') }}
),

gated_component as (
    select distinct
        plan_code,
        plan_version,
        tier,
        component_code,
        team_code,
        period_start_on
    from component_result
),

gate as (
    {{ gated_share('gated_component', 'counter_gate', 'paid_result') }}
),

-- a component the person was paid by keeps the share it reached; one of another version is put into its bands anew
line as (
    select
        segment.*,
        plan_component.component_code,
        coalesce(weight_scenario_component.weight, own.weight, plan_component.weight) as weight,
        coalesce(own.payout_share, component_share.payout_share, 0) as payout_share,
        coalesce(own.gate_share, gate.gate_share, 1) as gate_share
    from segment
    inner join plan_component
        on
            segment.proposed_plan_code = plan_component.plan_code
            and segment.proposed_plan_version = plan_component.plan_version
            and segment.tier = plan_component.tier
    left join weight_scenario_component
        on
            segment.scenario_code = weight_scenario_component.scenario_code
            and segment.tier = weight_scenario_component.tier
            and plan_component.component_code = weight_scenario_component.component_code
    left join paid as own
        on
            segment.scenario_code = own.scenario_code
            and segment.proposed_plan_code = own.plan_code
            and segment.proposed_plan_version = own.plan_version
            and segment.employee_number = own.employee_number
            and segment.earned_quarter = own.earned_quarter
            and segment.segment_start_on = own.segment_start_on
            and plan_component.component_code = own.component_code
    left join component_share
        on
            segment.scenario_code = component_share.scenario_code
            and segment.tier = component_share.tier
            and plan_component.component_code = component_share.component_code
            and segment.team_code = component_share.team_code
            and segment.period_start_on = component_share.period_start_on
    left join gate
        on
            plan_component.plan_code = gate.plan_code
            and plan_component.plan_version = gate.plan_version
            and segment.tier = gate.tier
            and plan_component.component_code = gate.component_code
            and segment.team_code = gate.team_code
            and segment.period_start_on = gate.period_start_on
),

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
            'scenario_code, employee_number, earned_quarter, currency_code',
            'segment_start_on, component_code'
        ) }} as scenario_cents
    from fraction
),

-- both sides of each person, as they stood in team and tier
both_sides as (
    select
        scenario_code,
        earned_quarter,
        period_start_on,
        currency_code,
        employee_number,
        team_code,
        tier,
        country_code,
        payout_amount as in_force_amount,
        cast(0 as decimal(18, 2)) as scenario_amount
    from paid

    union all

    select
        scenario_code,
        earned_quarter,
        period_start_on,
        currency_code,
        employee_number,
        team_code,
        tier,
        country_code,
        cast(0 as decimal(18, 2)) as in_force_amount,
        {{ from_integer_units('scenario_cents', 2) }} as scenario_amount
    from allocated
),

{% set groups = {
    'all': "'all'",
    'team': 'team_code',
    'tier': 'cast(tier as varchar)',
    'country': "coalesce(country_code, 'unknown')",
} -%}
grouped as (
    {% for kind, code in groups.items() -%}
    select
        scenario_code,
        earned_quarter,
        period_start_on,
        currency_code,
        employee_number,
        in_force_amount,
        scenario_amount,
        '{{ kind }}' as group_kind,
        {{ code }} as group_code
    from both_sides
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

group_size as (
    select
        scenario_code,
        earned_quarter,
        currency_code,
        group_kind,
        group_code,
        count(distinct employee_number) as person_count
    from grouped
    group by scenario_code, earned_quarter, currency_code, group_kind, group_code
),

-- groups too small to stand alone stand together
person as (
    select
        grouped.scenario_code,
        grouped.earned_quarter,
        grouped.period_start_on,
        grouped.currency_code,
        grouped.group_kind,
        case when group_size.person_count >= {{ fewest }} then grouped.group_code else 'fewer_than_{{ fewest }}' end
            as group_code,
        grouped.employee_number,
        sum(grouped.in_force_amount) as in_force_amount,
        sum(grouped.scenario_amount) as scenario_amount
    from grouped
    inner join group_size
        on
            grouped.scenario_code = group_size.scenario_code
            and grouped.earned_quarter = group_size.earned_quarter
            and grouped.currency_code = group_size.currency_code
            and grouped.group_kind = group_size.group_kind
            and grouped.group_code = group_size.group_code
    group by
        grouped.scenario_code,
        grouped.earned_quarter,
        grouped.period_start_on,
        grouped.currency_code,
        grouped.group_kind,
        case when group_size.person_count >= {{ fewest }} then grouped.group_code else 'fewer_than_{{ fewest }}' end,
        grouped.employee_number
),

summed as (
    select
        scenario_code,
        earned_quarter,
        period_start_on,
        currency_code,
        group_kind,
        group_code,
        count(*) as person_count,
        sum(case when scenario_amount > in_force_amount then 1 else 0 end) as gaining_count,
        sum(case when scenario_amount < in_force_amount then 1 else 0 end) as losing_count,
        sum(in_force_amount) as in_force_amount,
        sum(scenario_amount) as scenario_amount,
        max(scenario_amount - in_force_amount) as largest_gain_amount,
        min(scenario_amount - in_force_amount) as largest_loss_amount
    from person
    group by scenario_code, earned_quarter, period_start_on, currency_code, group_kind, group_code
),

final as (
    select
        cast(scenario.scenario_code as varchar) as scenario_code,
        cast(scenario.scenario_name as varchar) as scenario_name,
        cast(scenario.scenario_status as varchar) as scenario_status,
        cast(scenario.plan_code as varchar) as plan_code,
        cast(scenario.plan_version as integer) as plan_version,
        cast(scenario.proposed_plan_code as varchar) as proposed_plan_code,
        cast(scenario.proposed_plan_version as integer) as proposed_plan_version,
        cast(scenario.proposed_on as date) as proposed_on,
        cast(coalesce(summed.earned_quarter, '') as varchar) as earned_quarter,
        cast(summed.period_start_on as date) as period_start_on,
        cast(coalesce(summed.currency_code, '') as varchar) as currency_code,
        cast(coalesce(summed.group_kind, 'none') as varchar) as group_kind,
        cast(coalesce(summed.group_code, '') as varchar) as group_code,
        cast(coalesce(summed.person_count, 0) as integer) as person_count,
        cast(coalesce(summed.gaining_count, 0) as integer) as gaining_count,
        cast(coalesce(summed.losing_count, 0) as integer) as losing_count,
        cast(summed.in_force_amount as decimal(18, 2)) as in_force_amount,
        cast(summed.scenario_amount as decimal(18, 2)) as scenario_amount,
        cast(summed.scenario_amount - summed.in_force_amount as decimal(18, 2)) as difference_amount,
        cast(
            case
                when summed.largest_gain_amount > 0 then summed.largest_gain_amount when summed.person_count > 0 then 0
            end as decimal(18, 2)
        )
            as largest_gain_amount,
        cast(
            case
                when summed.largest_loss_amount < 0 then summed.largest_loss_amount when summed.person_count > 0 then 0
            end as decimal(18, 2)
        )
            as largest_loss_amount
    from scenario
    left join summed on scenario.scenario_code = summed.scenario_code
)

select * from final
