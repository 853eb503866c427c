{%- set payment_key = ['employee_number', 'country_code', 'currency_code', 'payment_period', 'earning_kind'] -%}
-- Every demand on a payment, by person, month and kind of pay: what is met, and what is not and why. What concerns the
-- person, the country and the books is demanded of every kind; what a plan, an award or a pool must have is demanded of
-- their own pay alone. An export of payments asks this table and no other.
with payment_line as (
    select * from {{ ref('fct_payment_line') }}
    where line_state <> 'waiting'
),

incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

draw as (
    select * from {{ ref('fct_draw') }}
),

award_vesting as (
    select * from {{ ref('fct_award_vesting') }}
),

long_term_award as (
    select * from {{ ref('long_term_award') }}
),

pool_allocation as (
    select * from {{ ref('fct_pool_allocation') }}
),

incentive_pool as (
    select * from {{ ref('incentive_pool') }}
),

reporting_period as (
    select * from {{ ref('int_reporting_period') }}
    where period_grain = 'quarter'
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

payout_account as (
    select * from {{ ref('payout_account') }}
),

gl_account as (
    select * from {{ ref('gl_account') }}
    where account_role = 'incentive_expense'
),

-- an earning in a payment: what caps and clawbacks took off it, and what was booked anew, summed
line as (
    select
        employee_number,
        coalesce(country_code, '') as country_code,
        currency_code,
        payment_period,
        earning_kind,
        earning_line_id,
        earned_quarter,
        cost_centre_code,
        sum(amount) as amount
    from payment_line
    group by
        employee_number, coalesce(country_code, ''), currency_code, payment_period, earning_kind, earning_line_id,
        earned_quarter, cost_centre_code
),

payment as (
    select
        {{ payment_key | join(', ') }},
        sum(amount) as earned_amount
    from line
    group by {{ payment_key | join(', ') }}
),

plan_earning as (
    select
        'incentive' as earning_kind,
        payout_line_id as earning_line_id,
        plan_code,
        plan_version,
        period_start_on
    from incentive_payout
    union all
    select
        earning_kind,
        earning_line_id,
        plan_code,
        plan_version,
        period_start_on
    from draw
),

-- a plan's line of which no calculation is left is of an unknown plan
plan_line as (
    select
        line.*,
        plan_earning.plan_code,
        plan_earning.plan_version,
        plan_earning.period_start_on
    from line
    left join plan_earning
        on line.earning_kind = plan_earning.earning_kind and line.earning_line_id = plan_earning.earning_line_id
    where line.earning_kind in ('incentive', 'draw')
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

-- one row per plan version in a payment; one that only gives back demands nothing
plan_finding as (
    select
        plan_line.employee_number,
        plan_line.country_code,
        plan_line.currency_code,
        plan_line.payment_period,
        plan_line.earning_kind,
        coalesce(
            plan_line.plan_code || ' v' || cast(plan_line.plan_version as varchar),
            'a plan that is no longer calculated'
        ) as plan_text,
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
            when max(activation.effective_from) > min(plan_line.period_start_on)
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
    from plan_line
    left join activation
        on
            plan_line.plan_code = activation.plan_code
            and plan_line.plan_version = activation.plan_version
            and plan_line.country_code = activation.country_code
    left join person_acknowledgement
        on
            plan_line.employee_number = person_acknowledgement.employee_number
            and plan_line.plan_code = person_acknowledgement.plan_code
            and plan_line.plan_version = person_acknowledgement.plan_version
    left join sent
        on
            plan_line.plan_code = sent.plan_code
            and plan_line.plan_version = sent.plan_version
            and plan_line.country_code = sent.country_code
    group by
        plan_line.employee_number, plan_line.country_code, plan_line.currency_code, plan_line.payment_period,
        plan_line.earning_kind, plan_line.plan_code, plan_line.plan_version
    having sum(plan_line.amount) > 0 or (sum(plan_line.amount) = 0 and plan_line.plan_code is not null)
),

plan_findings as (
    select
        {{ payment_key | join(', ') }},
        {{ string_list("plan_text || ': ' || acknowledgement_finding", 'plan_text') }}
            as acknowledged_finding,
        {{ string_list("plan_text || ': ' || activation_finding", 'plan_text') }}
            as activated_finding,
        {{ string_list("plan_text || ': ' || works_council_finding", 'plan_text') }}
            as works_council_agreed_finding,
        {{ string_list("plan_text || ': ' || approval_finding", 'plan_text') }}
            as approval_present_finding
    from plan_finding
    group by {{ payment_key | join(', ') }}
),

award_finding as (
    select
        line.employee_number,
        line.country_code,
        line.currency_code,
        line.payment_period,
        line.earning_kind,
        coalesce(award_vesting.award_code, 'an award that is no longer calculated') as award_text,
        case
            when max(long_term_award.award_code) is null then 'not in the register'
            when max(long_term_award.approved_on) is null or max(long_term_award.approved_by) is null
                then 'nobody has approved it'
            when max(long_term_award.approved_on) > max(long_term_award.granted_on)
                then 'approved only on ' || cast(max(long_term_award.approved_on) as varchar)
        end as award_finding
    from line
    left join award_vesting on line.earning_line_id = award_vesting.earning_line_id
    left join long_term_award on award_vesting.award_code = long_term_award.award_code
    where line.earning_kind = 'award'
    group by
        line.employee_number, line.country_code, line.currency_code, line.payment_period, line.earning_kind,
        award_vesting.award_code
    having sum(line.amount) > 0
),

award_findings as (
    select
        {{ payment_key | join(', ') }},
        {{ string_list("award_text || ': ' || award_finding", 'award_text') }} as award_approved_finding
    from award_finding
    group by {{ payment_key | join(', ') }}
),

pool_finding as (
    select
        line.employee_number,
        line.country_code,
        line.currency_code,
        line.payment_period,
        line.earning_kind,
        coalesce(pool_allocation.pool_code, 'a pool that is no longer calculated') || ' ' || line.earned_quarter
            as pool_text,
        case
            when max(incentive_pool.pool_code) is null then 'not in the register'
            when max(incentive_pool.approved_on) is null or max(incentive_pool.approved_by) is null
                then 'nobody has approved it'
            when
                max(reporting_period.period_start_on) is null
                or max(incentive_pool.approved_on) > max(reporting_period.period_start_on)
                then 'approved only on ' || cast(max(incentive_pool.approved_on) as varchar)
        end as pool_finding
    from line
    left join pool_allocation on line.earning_line_id = pool_allocation.earning_line_id
    left join incentive_pool on pool_allocation.pool_code = incentive_pool.pool_code
    left join reporting_period on line.earned_quarter = reporting_period.period_code
    where line.earning_kind = 'pool'
    group by
        line.employee_number, line.country_code, line.currency_code, line.payment_period, line.earning_kind,
        pool_allocation.pool_code, line.earned_quarter
    having sum(line.amount) > 0
),

pool_findings as (
    select
        {{ payment_key | join(', ') }},
        {{ string_list("pool_text || ': ' || pool_finding", 'pool_text') }} as pool_approved_finding
    from pool_finding
    group by {{ payment_key | join(', ') }}
),

-- the expense accounts of a kind on the last day of the month it is paid in
expense_account as (
    select
        payment.earning_kind,
        payment.payment_period,
        count(distinct gl_account.account_code) as account_count
    from payment
    left join payout_account
        on
            payment.earning_kind = payout_account.earning_kind
            and payout_account.effective_from
            <= {{ add_days(add_months(month_code_start('payment.payment_period'), 1), -1) }}
            and coalesce(payout_account.effective_to, date '9999-12-31')
            >= {{ add_days(add_months(month_code_start('payment.payment_period'), 1), -1) }}
    left join gl_account on payout_account.account_code = gl_account.account_code
    group by payment.earning_kind, payment.payment_period
),

account_findings as (
    select
        line.employee_number,
        line.country_code,
        line.currency_code,
        line.payment_period,
        line.earning_kind,
        case
            when max(expense_account.account_count) <> 1
                then
                    cast(max(expense_account.account_count) as varchar) || ' accounts of expense for '
                    || line.earning_kind || ', one is needed'
            when max(case when cost_centre.cost_centre_code is null then 1 else 0 end) = 1
                then 'a line has no cost centre the books know'
            when max(case when cost_centre.currency_code <> line.currency_code then 1 else 0 end) = 1
                then 'a cost centre keeps its books in another currency'
        end as account_mapped_finding
    from line
    inner join expense_account
        on line.earning_kind = expense_account.earning_kind and line.payment_period = expense_account.payment_period
    left join cost_centre on line.cost_centre_code = cost_centre.cost_centre_code
    group by line.employee_number, line.country_code, line.currency_code, line.payment_period, line.earning_kind
),

withholding_findings as (
    select
        {{ payment_key | join(', ') }},
        {{ string_list("earned_quarter || ' ' || gap_reasons", 'earned_quarter') }}
            as withholding_known_finding
    from withholding
    group by {{ payment_key | join(', ') }}
),

found as (
    select
        payment.*,
        plan_findings.acknowledged_finding,
        plan_findings.activated_finding,
        plan_findings.works_council_agreed_finding,
        plan_findings.approval_present_finding,
        award_findings.award_approved_finding,
        pool_findings.pool_approved_finding,
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
    {% for demanded_of in ['plan', 'award', 'pool', 'account', 'withholding'] -%}
    {%- set findings = demanded_of ~ '_findings' -%}
    left join {{ findings }} on {{ columns_agree('payment', findings, payment_key) }}
    {% endfor -%}
    left join wage_compliance
        on
            payment.employee_number = wage_compliance.employee_number
            and payment.country_code = wage_compliance.country_code
            and payment.currency_code = wage_compliance.currency_code
            and payment.payment_period = wage_compliance.payment_period
),

-- what is demanded, and of whose pay
demand as (
    select
        'acknowledged' as demand_code,
        'plan' as asked_of
    union all
    select
        'activated' as demand_code,
        'plan' as asked_of
    union all
    select
        'works_council_agreed' as demand_code,
        'plan' as asked_of
    union all
    select
        'approval_present' as demand_code,
        'plan' as asked_of
    union all
    select
        'award_approved' as demand_code,
        'award' as asked_of
    union all
    select
        'pool_approved' as demand_code,
        'pool' as asked_of
    union all
    select
        'wage_compliant' as demand_code,
        'all' as asked_of
    union all
    select
        'withholding_known' as demand_code,
        'all' as asked_of
    union all
    select
        'account_mapped' as demand_code,
        'all' as asked_of
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
            when 'award_approved' then found.award_approved_finding
            when 'pool_approved' then found.pool_approved_finding
            when 'wage_compliant' then found.wage_compliant_finding
            when 'withholding_known' then found.withholding_known_finding
            when 'account_mapped' then found.account_mapped_finding
            else 'unknown demand'
        end as finding,
        case when demand.demand_code = 'wage_compliant' then found.wage_note end as note
    from found
    inner join demand
        on
            demand.asked_of = 'all'
            or demand.asked_of = found.earning_kind
            or (demand.asked_of = 'plan' and found.earning_kind in ('incentive', 'draw'))
),

final as (
    select
        cast(
            {{ md5_of([
                'employee_number', 'country_code', 'currency_code', 'payment_period', 'earning_kind', 'demand_code'
            ]) }} as varchar
        ) as payment_readiness_key,
        cast(employee_number as varchar) as employee_number,
        cast(payment_period as varchar) as payment_period,
        cast(country_code as varchar) as country_code,
        cast(currency_code as varchar) as currency_code,
        cast(earning_kind as varchar) as earning_kind,
        cast(earned_amount as decimal(18, 2)) as earned_amount,
        cast(demand_code as varchar) as demand_code,
        cast(finding is null as boolean) as is_met,
        cast(finding as varchar) as finding,
        cast(note as varchar) as note,
        cast(
            sum(case when finding is null then 0 else 1 end) over (
                partition by {{ payment_key | join(', ') }}
            ) = 0 as boolean
        ) as is_payment_ready
    from demanded
)

select * from final
