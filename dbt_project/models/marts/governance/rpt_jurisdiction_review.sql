with incentive_plan as (
    select * from {{ ref('incentive_plan') }}
),

jurisdiction_rule as (
    select * from {{ ref('jurisdiction_rule') }}
    where approval_type = 'jurisdiction_review'
),

plan_approval as (
    select * from {{ ref('plan_approval') }}
),

approval as (
    select * from {{ ref('int_governance_approval') }}
    where register_code = 'plan_approval' and approval_type = 'jurisdiction_review'
),

activation as (
    select * from {{ ref('int_plan_activation') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

reviewed as (
    select
        incentive_plan.plan_code,
        incentive_plan.plan_version,
        incentive_plan.effective_from as plan_effective_from,
        incentive_plan.effective_to as plan_effective_to,
        jurisdiction_rule.country_code,
        jurisdiction_rule.legal_basis,
        jurisdiction_rule.review_interval_months,
        min(case when approval.is_counted then approval.decided_on end) as first_reviewed_on,
        max(case when approval.is_counted then approval.decided_on end) as last_reviewed_on,
        max_by(
            case when approval.is_counted then plan_approval.reference end,
            case when approval.is_counted then approval.decided_on end
        ) as last_reference,
        count(case when approval.is_counted then 1 end) as review_count,
        count(case when not approval.is_counted then 1 end) as refused_review_count
    from incentive_plan
    inner join jurisdiction_rule
        on
            incentive_plan.effective_from >= jurisdiction_rule.effective_from
            and incentive_plan.effective_from <= coalesce(jurisdiction_rule.effective_to, date '9999-12-31')
    left join approval
        on
            incentive_plan.plan_code = approval.register_id
            and incentive_plan.plan_version = approval.subject_version
            and (approval.country_code is null or approval.country_code = jurisdiction_rule.country_code)
    left join plan_approval on approval.approval_id = plan_approval.approval_id
    group by
        incentive_plan.plan_code,
        incentive_plan.plan_version,
        incentive_plan.effective_from,
        incentive_plan.effective_to,
        jurisdiction_rule.country_code,
        jurisdiction_rule.legal_basis,
        jurisdiction_rule.review_interval_months
),

due as (
    select
        reviewed.*,
        cast(run_context.as_of_at as date) as as_of_on,
        run_context.as_of_at,
        case
            when reviewed.last_reviewed_on is null then reviewed.plan_effective_from
            -- a version that has ended is not reviewed again
            when {{ add_months('reviewed.last_reviewed_on', 'reviewed.review_interval_months') }}
                > reviewed.plan_effective_to then null
            else {{ add_months('reviewed.last_reviewed_on', 'reviewed.review_interval_months') }}
        end as due_on
    from reviewed
    cross join run_context
),

final as (
    select
        cast(due.plan_code as varchar) as plan_code,
        cast(due.plan_version as integer) as plan_version,
        cast(due.country_code as varchar) as country_code,
        cast(due.legal_basis as varchar) as legal_basis,
        cast(due.review_interval_months as integer) as review_interval_months,
        cast(due.first_reviewed_on as date) as first_reviewed_on,
        cast(due.last_reviewed_on as date) as last_reviewed_on,
        cast(due.last_reference as varchar) as last_reference,
        cast(due.review_count as integer) as review_count,
        cast(due.refused_review_count as integer) as refused_review_count,
        cast(due.due_on as date) as due_on,
        cast(
            case
                when due.last_reviewed_on is null and due.due_on <= due.as_of_on then 'never_reviewed'
                when due.last_reviewed_on is null then 'not_yet_due'
                when due.due_on < due.as_of_on then 'overdue'
                when due.due_on <= {{ add_days('due.as_of_on', 60) }} then 'due_soon'
                else 'in_order'
            end as varchar
        ) as review_status,
        cast(
            case when due.due_on < due.as_of_on then {{ day_count('due.due_on', 'due.as_of_on') }} else 0 end as integer
        ) as overdue_days,
        cast(coalesce(activation.is_activated, false) as boolean) as is_activated,
        cast(due.as_of_at as timestamp) as as_of_at
    from due
    left join activation
        on
            due.plan_code = activation.plan_code
            and due.plan_version = activation.plan_version
            and due.country_code = activation.country_code
)

select * from final
