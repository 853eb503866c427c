-- A rule without what its kind needs would be met by everybody or by nobody, and a share above 1 would pay for
-- failing.
{{ config(meta={'dagster': {'ref': {'name': 'eligibility_rule'}}}) }}
select
    'eligibility_rule' as register,
    rule_code
from {{ ref('eligibility_rule') }}
where
    share_kept < 0
    or share_kept >= 1
    or (rule_kind = 'acknowledgement' and communication_code is null)
    or (rule_kind = 'cohort' and latest_hired_on is null)
    or (rule_kind = 'tenure' and coalesce(least_days, 0) < 1)
    or (rule_kind = 'root_cause' and (due_days is null or due_days < 0 or coalesce(least_incident_count, 0) < 1))

union all

select
    'disqualification_rule' as register,
    rule_code
from {{ ref('disqualification_rule') }}
where
    share_kept < 0
    or share_kept >= 1
    or least_fault_count < 1
    or look_back_quarters < least_fault_count
    or (evidence_kind = 'result_below' and (metric_code is null or least_value is null))

union all

select
    'counter_gate' as register,
    gate.component_code || ' ' || gate.counter_metric_code as rule_code
from {{ ref('counter_gate') }} as gate
left join {{ ref('plan_component') }} as plan_component
    on
        gate.plan_code = plan_component.plan_code
        and gate.plan_version = plan_component.plan_version
        and gate.tier = plan_component.tier
        and gate.component_code = plan_component.component_code
where
    plan_component.component_code is null
    or gate.share_kept < 0
    or gate.share_kept >= 1
    or (gate.least_value is null and gate.most_value is null)
    or gate.least_value > gate.most_value
    or gate.counter_metric_code = plan_component.metric_code

union all

select
    'plan_component' as register,
    component_code as rule_code
from {{ ref('plan_component') }}
where
    (processing_grain = 'cumulative' and band_method <> 'stepped')
    or role is null
    or processing_grain is null
    or (accelerator_from_value is null) <> (accelerator_factor is null)
    or accelerator_factor < 1

union all

select
    'part_time_agreement' as register,
    agreement_id as rule_code
from {{ ref('part_time_agreement') }}
where
    work_share <= 0
    or work_share >= 1
    or effective_to < effective_from
    or (signed_on is not null and signed_by is null)
    or signed_by = employee_number

union all

select
    'plan_draw' as register,
    plan_code || ' ' || currency_code as rule_code
from {{ ref('plan_draw') }}
where minimum_amount <= 0
