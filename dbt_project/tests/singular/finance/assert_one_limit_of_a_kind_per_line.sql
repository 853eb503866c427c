-- Two limits of one kind on the same line in the same quarter: one of them would not be kept.
{{ config(
    meta={'dagster': {'ref': {'name': 'fct_cap_application'}}, 'requirements': ['LTI-4.4', 'DESK-5.3']}
) }}
with line as (
    select * from {{ ref('fct_earning_line') }}
),

period as (
    select * from {{ ref('int_reporting_period') }}
    where period_grain = 'quarter'
),

membership as (
    select * from {{ ref('int_union_membership') }}
),

rule as (
    select * from {{ ref('int_agreement_rule') }}
    where is_counted
)

select
    line.earning_line_id,
    rule.cap_kind,
    count(distinct rule.rule_id) as rule_count
from line
inner join period on line.earned_quarter = period.period_code
inner join rule
    on
        period.period_start_on >= rule.counts_from_on
        and (rule.counts_to_on is null or period.period_start_on <= rule.counts_to_on)
        and (rule.currency_code is null or line.currency_code = rule.currency_code)
left join membership
    on
        line.employee_number = membership.employee_number
        and period.period_start_on >= membership.member_from_on
        and (membership.member_to_on is null or period.period_start_on < membership.member_to_on)
where
    rule.scope_type = 'all'
    or (rule.scope_type = 'country' and line.country_code = rule.scope_code)
    or (rule.scope_type = 'team' and line.team_code = rule.scope_code)
    or (rule.scope_type = 'plan' and line.plan_code = rule.scope_code)
    or (rule.scope_type = 'union' and membership.union_code = rule.scope_code)
group by line.earning_line_id, rule.cap_kind
having count(distinct rule.rule_id) > 1
