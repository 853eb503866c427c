-- Every plan version in every country it could pay in: what the country demands of it, what has been signed, and the
-- first quarter it may pay. A version pays nothing in a country whose demands it has not met.
with incentive_plan as (
    select * from {{ ref('incentive_plan') }}
),

plan_clause as (
    select * from {{ ref('plan_clause') }}
),

jurisdiction_rule as (
    select * from {{ ref('jurisdiction_rule') }}
),

employee_assignment as (
    select * from {{ ref('int_employee_assignment') }}
    where is_in_incentive_plan
),

approval as (
    select * from {{ ref('int_governance_approval') }}
    where register_code = 'plan_approval'
),

-- where rules are known, and where people are, so that nobody goes unpaid without a row that says why
country as (
    select country_code
    from jurisdiction_rule

    union

    select coalesce(country_code, '') as country_code
    from employee_assignment
),

demanded as (
    select distinct
        incentive_plan.plan_code,
        incentive_plan.plan_version,
        jurisdiction_rule.country_code,
        jurisdiction_rule.approval_type
    from incentive_plan
    inner join jurisdiction_rule
        on
            incentive_plan.effective_from >= jurisdiction_rule.effective_from
            and incentive_plan.effective_from <= coalesce(jurisdiction_rule.effective_to, date '9999-12-31')
    left join plan_clause
        on
            incentive_plan.plan_code = plan_clause.plan_code
            and incentive_plan.plan_version = plan_clause.plan_version
            and jurisdiction_rule.applies_to_clause = plan_clause.clause_code
    where jurisdiction_rule.applies_to_clause is null or plan_clause.clause_code is not null
),

signed as (
    select
        demanded.plan_code,
        demanded.plan_version,
        demanded.country_code,
        demanded.approval_type,
        min(case when approval.is_counted then approval.counts_from_at end) as signed_at,
        {{ string_list('case when not approval.is_counted then approval.refusal_reasons end', 'approval.approval_id') }}
            as approval_faults
    from demanded
    left join approval
        on
            demanded.plan_code = approval.register_id
            and demanded.plan_version = approval.subject_version
            and demanded.approval_type = approval.approval_type
            and (approval.country_code is null or approval.country_code = demanded.country_code)
    group by demanded.plan_code, demanded.plan_version, demanded.country_code, demanded.approval_type
),

per_country as (
    select
        plan_code,
        plan_version,
        country_code,
        {{ string_list('approval_type', 'approval_type') }} as demanded_approvals,
        {{ string_list('case when signed_at is not null then approval_type end', 'approval_type') }}
            as signed_approvals,
        {{ string_list(
            "case
                when signed_at is null and approval_faults is null then approval_type || '_missing'
                when signed_at is null then approval_type || '_refused'
            end",
            'approval_type'
        ) }} as approval_faults,
        max(signed_at) as signed_at
    from signed
    group by plan_code, plan_version, country_code
),

gated as (
    select
        incentive_plan.plan_code,
        incentive_plan.plan_version,
        country.country_code,
        incentive_plan.effective_from as proposed_from,
        incentive_plan.effective_to,
        per_country.demanded_approvals,
        per_country.signed_approvals,
        case
            when per_country.plan_code is null then 'jurisdiction_rule_missing'
            else coalesce(per_country.approval_faults, '')
        end as gate_faults,
        {{ first_day_from('per_country.signed_at') }} as signed_on,
        incentive_plan.period_grain
    from incentive_plan
    cross join country
    left join per_country
        on
            incentive_plan.plan_code = per_country.plan_code
            and incentive_plan.plan_version = per_country.plan_version
            and country.country_code = per_country.country_code
),

started as (
    select
        *,
        case
            when gate_faults = '' then {{ period_start_from('greatest(signed_on, proposed_from)', 'period_grain') }}
        end as first_paid_from
    from gated
),

judged as (
    select
        *,
        concat_ws(
            ', ',
            nullif(gate_faults, ''),
            case when coalesce(first_paid_from > effective_to, false) then 'signed_after_its_end' end
        ) as refusal_reasons
    from started
),

final as (
    select
        plan_code,
        plan_version,
        country_code,
        proposed_from,
        demanded_approvals,
        signed_approvals,
        case when gate_faults = '' then signed_on end as signed_on,
        refusal_reasons = '' as is_activated,
        case when refusal_reasons = '' then first_paid_from end as effective_from,
        effective_to,
        nullif(refusal_reasons, '') as refusal_reasons
    from judged
)

select * from final
