-- Every demand on a payment, person by person and month: what is met, and what is not and why. An export of payments
-- asks this table and no other.
with earning as (
    select * from {{ ref('fct_incentive_payout') }}
),

plan_activation as (
    select * from {{ ref('int_plan_activation') }}
),

person_acknowledgement as (
    select * from {{ ref('int_person_acknowledgement') }}
),

plan_acknowledgement as (
    select * from {{ ref('int_plan_acknowledgement') }}
),

wage_compliance as (
    select * from {{ ref('fct_wage_compliance') }}
),

withholding as (
    select * from {{ ref('fct_withholding') }}
),

cost_centre as (
    select * from {{ ref('cost_centre') }}
),

gl_account as (
    select * from {{ ref('gl_account') }}
    where account_role = 'incentive_expense'
),

line as (
    select
        employee_number,
        coalesce(country_code, '') as country_code,
        currency_code,
        payment_period,
        plan_code,
        plan_version,
        period_start_on,
        cost_centre_code,
        payout_amount
    from earning
),

payment as (
    select
        employee_number,
        country_code,
        currency_code,
        payment_period,
        sum(payout_amount) as earned_amount
    from line
    group by employee_number, country_code, currency_code, payment_period
),

sent as (
    select
        plan_code,
        plan_version,
        country_code,
        sum(recipient_count) as recipient_count
    from plan_acknowledgement
    group by plan_code, plan_version, country_code
),

activation as (
    select
        *,
        case when {{ has_reason('demanded_approvals', ['works_council']) }} then 1 else 0 end
            as council_demanded_count,
        case when {{ has_reason('signed_approvals', ['works_council']) }} then 1 else 0 end as council_signed_count
    from plan_activation
),

-- one row per plan version in a payment
plan_finding as (
    select
        line.employee_number,
        line.country_code,
        line.currency_code,
        line.payment_period,
        line.plan_code || ' v' || cast(line.plan_version as varchar) as plan_text,
        case
            when max(person_acknowledgement.acknowledged_at) is not null then null
            when max(person_acknowledgement.sent_on) is not null
                then 'sent ' || cast(max(person_acknowledgement.sent_on) as varchar) || ' and not acknowledged'
            when coalesce(max(sent.recipient_count), 0) > 0 then 'never sent to the person'
            else 'never sent in the country'
        end as acknowledgement_finding,
        case
            when max(activation.plan_code) is null then 'unknown to the country'
            when max(case when activation.is_activated then 1 else 0 end) = 0
                then 'not activated: ' || max(activation.refusal_reasons)
            when max(activation.effective_from) > min(line.period_start_on)
                then 'activated only from ' || cast(max(activation.effective_from) as varchar)
        end as activation_finding,
        case
            when max(activation.council_demanded_count) > max(activation.council_signed_count)
                then 'the works council has not agreed'
        end as works_council_finding,
        case
            when max(activation.demanded_approvals) is null then 'nobody has said what it demands'
            when max(activation.demanded_approvals) <> coalesce(max(activation.signed_approvals), '')
                then
                    'signed ' || coalesce(max(activation.signed_approvals), 'nothing') || ' of '
                    || max(activation.demanded_approvals)
        end as approval_finding
    from line
    left join activation
        on
            line.plan_code = activation.plan_code
            and line.plan_version = activation.plan_version
            and line.country_code = activation.country_code
    left join person_acknowledgement
        on
            line.employee_number = person_acknowledgement.employee_number
            and line.plan_code = person_acknowledgement.plan_code
            and line.plan_version = person_acknowledgement.plan_version
    left join sent
        on
            line.plan_code = sent.plan_code
            and line.plan_version = sent.plan_version
            and line.country_code = sent.country_code
    group by
        line.employee_number, line.country_code, line.currency_code, line.payment_period, line.plan_code,
        line.plan_version
),

plan_findings as (
    select
        employee_number,
        country_code,
        currency_code,
        payment_period,
        {{ string_list("plan_text || ': ' || acknowledgement_finding", 'plan_text') }}
            as acknowledged_finding,
        {{ string_list("plan_text || ': ' || activation_finding", 'plan_text') }}
            as activated_finding,
        {{ string_list("plan_text || ': ' || works_council_finding", 'plan_text') }}
            as works_council_agreed_finding,
        {{ string_list("plan_text || ': ' || approval_finding", 'plan_text') }}
            as approval_present_finding
    from plan_finding
    group by employee_number, country_code, currency_code, payment_period
),

expense_account as (
    select count(*) as account_count
    from gl_account
),

account_findings as (
    select
        line.employee_number,
        line.country_code,
        line.currency_code,
        line.payment_period,
        case
            when max(expense_account.account_count) <> 1
                then
                    cast(max(expense_account.account_count) as varchar)
                    || ' accounts of incentive expense, one is needed'
            when max(case when cost_centre.cost_centre_code is null then 1 else 0 end) = 1
                then 'a line has no cost centre the books know'
            when max(case when cost_centre.currency_code <> line.currency_code then 1 else 0 end) = 1
                then 'a cost centre keeps its books in another currency'
        end as account_mapped_finding
    from line
    cross join expense_account
    left join cost_centre on line.cost_centre_code = cost_centre.cost_centre_code
    group by line.employee_number, line.country_code, line.currency_code, line.payment_period
),

withholding_findings as (
    select
        employee_number,
        country_code,
        currency_code,
        payment_period,
        {{ string_list("earned_quarter || ' ' || gap_reasons", 'earned_quarter') }}
            as withholding_known_finding
    from withholding
    group by employee_number, country_code, currency_code, payment_period
),

found as (
    select
        payment.*,
        plan_findings.acknowledged_finding,
        plan_findings.activated_finding,
        plan_findings.works_council_agreed_finding,
        plan_findings.approval_present_finding,
        account_findings.account_mapped_finding,
        case
            when withholding_findings.employee_number is null then 'no withholding was calculated'
            else withholding_findings.withholding_known_finding
        end as withholding_known_finding,
        case
            when wage_compliance.employee_number is null then 'not held against wage and hour law'
            when wage_compliance.is_blocked then wage_compliance.wage_status || ': ' || wage_compliance.reason
        end as wage_compliant_finding,
        case
            when wage_compliance.wage_status <> 'met' and not wage_compliance.is_blocked then wage_compliance.reason
        end as wage_note
    from payment
    left join plan_findings
        on
            payment.employee_number = plan_findings.employee_number
            and payment.country_code = plan_findings.country_code
            and payment.currency_code = plan_findings.currency_code
            and payment.payment_period = plan_findings.payment_period
    left join account_findings
        on
            payment.employee_number = account_findings.employee_number
            and payment.country_code = account_findings.country_code
            and payment.currency_code = account_findings.currency_code
            and payment.payment_period = account_findings.payment_period
    left join withholding_findings
        on
            payment.employee_number = withholding_findings.employee_number
            and payment.country_code = withholding_findings.country_code
            and payment.currency_code = withholding_findings.currency_code
            and payment.payment_period = withholding_findings.payment_period
    left join wage_compliance
        on
            payment.employee_number = wage_compliance.employee_number
            and payment.country_code = wage_compliance.country_code
            and payment.currency_code = wage_compliance.currency_code
            and payment.payment_period = wage_compliance.payment_period
),

demand as (
    select 'acknowledged' as demand_code
    union all
    select 'activated' as demand_code
    union all
    select 'works_council_agreed' as demand_code
    union all
    select 'approval_present' as demand_code
    union all
    select 'wage_compliant' as demand_code
    union all
    select 'withholding_known' as demand_code
    union all
    select 'account_mapped' as demand_code
),

demanded as (
    select
        found.*,
        demand.demand_code,
        case demand.demand_code
            when 'acknowledged' then found.acknowledged_finding
            when 'activated' then found.activated_finding
            when 'works_council_agreed' then found.works_council_agreed_finding
            when 'approval_present' then found.approval_present_finding
            when 'wage_compliant' then found.wage_compliant_finding
            when 'withholding_known' then found.withholding_known_finding
            when 'account_mapped' then found.account_mapped_finding
            else 'unknown demand'
        end as finding,
        case when demand.demand_code = 'wage_compliant' then found.wage_note end as note
    from found
    cross join demand
),

final as (
    select
        cast(
            {{ md5_of(['employee_number', 'country_code', 'currency_code', 'payment_period', 'demand_code']) }}
            as varchar
        ) as payment_readiness_key,
        cast(employee_number as varchar) as employee_number,
        cast(payment_period as varchar) as payment_period,
        cast(country_code as varchar) as country_code,
        cast(currency_code as varchar) as currency_code,
        cast(earned_amount as decimal(18, 2)) as earned_amount,
        cast(demand_code as varchar) as demand_code,
        cast(finding is null as boolean) as is_met,
        cast(finding as varchar) as finding,
        cast(note as varchar) as note,
        cast(
            sum(case when finding is null then 0 else 1 end) over (
                partition by employee_number, country_code, currency_code, payment_period
            ) = 0 as boolean
        ) as is_payment_ready
    from demanded
)

select * from final
