-- What each earning rests on. A line of a plan leads on to its tickets and intervals by fct_payout_trace.
with earning_line as (
    select * from {{ ref('fct_earning_line') }}
),

incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

draw as (
    select * from {{ ref('fct_draw') }}
),

on_call_reward as (
    select * from {{ ref('fct_on_call_reward') }}
),

pool_allocation as (
    select * from {{ ref('fct_pool_allocation') }}
),

pool_claim as (
    select * from {{ ref('fct_pool_claim') }}
),

pool_funding as (
    select * from {{ ref('fct_pool_funding') }}
    where funding_status = 'funded'
),

pool_member as (
    select * from {{ ref('incentive_pool_member') }}
),

resolution_credit as (
    select * from {{ ref('fct_resolution_credit') }}
),

award_vesting as (
    select * from {{ ref('fct_award_vesting') }}
),

-- the pools' teams of the quarter
member as (
    select distinct
        pool_funding.pool_code,
        pool_funding.earned_quarter,
        pool_member.team_code
    from pool_funding
    inner join pool_member
        on
            pool_funding.pool_code = pool_member.pool_code
            and pool_funding.period_start_on >= pool_member.effective_from
            and pool_funding.period_start_on <= coalesce(pool_member.effective_to, date '9999-12-31')
),

allocation as (
    select
        pool_allocation.earning_line_id,
        pool_allocation.pool_code,
        pool_allocation.earned_quarter,
        pool_allocation.employee_number,
        pool_claim.allocation_basis,
        member.team_code
    from pool_allocation
    inner join pool_claim on pool_allocation.pool_claim_id = pool_claim.pool_claim_id
    inner join member
        on
            pool_allocation.pool_code = member.pool_code
            and pool_allocation.earned_quarter = member.earned_quarter
),

evidence as (
    select
        payout_line_id as earning_line_id,
        'payout_line' as evidence_type,
        payout_line_id as evidence_key,
        employee_batch_id as batch_id
    from incentive_payout

    union all

    -- a draw stands on all lines of the person's quarter, which it fills up or sets off
    select
        draw.earning_line_id,
        'payout_line' as evidence_type,
        incentive_payout.payout_line_id as evidence_key,
        incentive_payout.employee_batch_id as batch_id
    from draw
    inner join incentive_payout
        on
            draw.plan_code = incentive_payout.plan_code
            and draw.plan_version = incentive_payout.plan_version
            and draw.employee_number = incentive_payout.employee_number
            and draw.earned_quarter = incentive_payout.earned_quarter
            and draw.currency_code = incentive_payout.currency_code
    where draw.earned_amount <> 0

    union all

    select
        earning_line_id,
        'on_call_stretch' as evidence_type,
        on_call_stretch_key as evidence_key,
        batch_id
    from on_call_reward

    union all

    select
        allocation.earning_line_id,
        'resolution_credit' as evidence_type,
        resolution_credit.credit_line_id as evidence_key,
        resolution_credit.batch_id
    from allocation
    inner join resolution_credit
        on
            allocation.employee_number = resolution_credit.employee_number
            and allocation.earned_quarter = resolution_credit.earned_quarter
            and allocation.team_code = resolution_credit.team_code
    inner join pool_funding
        on
            allocation.pool_code = pool_funding.pool_code
            and allocation.earned_quarter = pool_funding.earned_quarter
            and resolution_credit.service_code = pool_funding.service_code
    where allocation.allocation_basis = 'resolution_credit'

    union all

    select
        allocation.earning_line_id,
        'payout_line' as evidence_type,
        incentive_payout.payout_line_id as evidence_key,
        incentive_payout.employee_batch_id as batch_id
    from allocation
    inner join incentive_payout
        on
            allocation.employee_number = incentive_payout.employee_number
            and allocation.earned_quarter = incentive_payout.earned_quarter
            and allocation.team_code = incentive_payout.team_code
    where allocation.allocation_basis = 'achievement'

    union all

    -- granted by register
    select
        earning_line_id,
        'award_tranche' as evidence_type,
        award_code || '/' || cast(tranche_number as varchar) as evidence_key,
        cast(null as varchar) as batch_id
    from award_vesting
    where is_earned
),

final as (
    select
        cast(earning_line.earning_line_id as varchar) as earning_line_id,
        cast(earning_line.earning_kind as varchar) as earning_kind,
        cast(earning_line.employee_number as varchar) as employee_number,
        cast(earning_line.earned_quarter as varchar) as earned_quarter,
        cast(evidence.evidence_type as varchar) as evidence_type,
        cast(evidence.evidence_key as varchar) as evidence_key,
        cast(evidence.batch_id as varchar) as batch_id
    from earning_line
    inner join evidence on earning_line.earning_line_id = evidence.earning_line_id
)

select * from final
