-- Everything that lays claim on a pool's money by the pool's own basis, and what becomes of each claim.
with incentive_pool as (
    select * from {{ ref('incentive_pool') }}
),

incentive_pool_member as (
    select * from {{ ref('incentive_pool_member') }}
),

pool_funding as (
    select * from {{ ref('fct_pool_funding') }}
),

resolution_credit as (
    select * from {{ ref('fct_resolution_credit') }}
),

incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

reporting_period as (
    select * from {{ ref('int_reporting_period') }}
    where period_grain = 'quarter' and is_complete
),

employee_assignment as (
    select * from {{ ref('int_employee_assignment') }}
),

team as (
    select * from {{ ref('team') }}
),

pool_quarter as (
    select
        pool_funding.pool_code,
        pool_funding.earned_quarter,
        pool_funding.period_start_on,
        sum(pool_funding.funded_amount) as funded_amount
    from pool_funding
    group by pool_funding.pool_code, pool_funding.earned_quarter, pool_funding.period_start_on
),

funded as (
    select
        pool_quarter.pool_code,
        pool_quarter.earned_quarter,
        pool_quarter.period_start_on,
        reporting_period.period_end_on,
        pool_quarter.funded_amount,
        incentive_pool.allocation_basis,
        incentive_pool.person_cap_share,
        incentive_pool.currency_code,
        {{ month_code(
            add_months('reporting_period.period_end_on', 'incentive_pool.payment_lag_months - 1')
        ) }} as payment_period
    from pool_quarter
    inner join incentive_pool on pool_quarter.pool_code = incentive_pool.pool_code
    inner join reporting_period on pool_quarter.period_start_on = reporting_period.period_start_on
    where pool_quarter.funded_amount > 0
),

member as (
    select
        funded.pool_code,
        funded.earned_quarter,
        funded.allocation_basis,
        incentive_pool_member.team_code
    from funded
    inner join incentive_pool_member
        on
            funded.pool_code = incentive_pool_member.pool_code
            and funded.period_start_on >= incentive_pool_member.effective_from
            and funded.period_start_on <= coalesce(incentive_pool_member.effective_to, date '9999-12-31')
),

-- credit for tickets of the services that put money in, and nothing else
basis as (
    select
        member.pool_code,
        member.earned_quarter,
        coalesce(resolution_credit.employee_number, '') as claimant_number,
        {{ integer_units('resolution_credit.credit_share', 6) }} as claim_weight
    from member
    inner join resolution_credit
        on
            member.team_code = resolution_credit.team_code
            and member.earned_quarter = resolution_credit.earned_quarter
    inner join pool_funding
        on
            member.pool_code = pool_funding.pool_code
            and member.earned_quarter = pool_funding.earned_quarter
            and resolution_credit.service_code = pool_funding.service_code
            and pool_funding.funding_status = 'funded'
    where member.allocation_basis = 'resolution_credit'

    union all

    select
        member.pool_code,
        member.earned_quarter,
        incentive_payout.employee_number as claimant_number,
        {{ integer_units('incentive_payout.paid_days_value', 4) }}
        * {{ integer_units('incentive_payout.weight', 4) }}
        * {{ integer_units('incentive_payout.payout_share', 4) }}
        * {{ integer_units('incentive_payout.gate_share', 4) }}
        * {{ integer_units('incentive_payout.eligible_share', 4) }} as claim_weight
    from member
    inner join incentive_payout
        on
            member.team_code = incentive_payout.team_code
            and member.earned_quarter = incentive_payout.earned_quarter
    where member.allocation_basis = 'achievement'
),

claim as (
    select
        pool_code,
        earned_quarter,
        claimant_number,
        sum(claim_weight) as claim_weight
    from basis
    group by pool_code, earned_quarter, claimant_number
    having sum(claim_weight) > 0
),

weighed as (
    select
        funded.*,
        claim.claimant_number,
        claim.claim_weight,
        sum(claim.claim_weight) over (partition by claim.pool_code, claim.earned_quarter) as total_weight,
        {{ integer_units('funded.funded_amount', 2) }} as funded_cents
    from funded
    inner join claim
        on funded.pool_code = claim.pool_code and funded.earned_quarter = claim.earned_quarter
),

split as (
    select
        *,
        {{ allocate_largest_remainder(
            'funded_cents * claim_weight', 'total_weight', 'pool_code, earned_quarter', 'claimant_number'
        ) }} as claimed_cents,
        {{ int_div('funded_cents * ' ~ integer_units('person_cap_share', 4), exact_integer(10000)) }} as cap_cents
    from weighed
),

-- where the person stood last in the quarter
placed as (
    select
        split.pool_code,
        split.earned_quarter,
        split.claimant_number,
        employee_assignment.team_code,
        employee_assignment.country_code,
        employee_assignment.assigned_to_on is null
        or employee_assignment.assigned_to_on >= split.period_end_on as is_employed_at_end
    from split
    inner join employee_assignment
        on
            split.claimant_number = employee_assignment.employee_number
            and split.period_end_on > employee_assignment.assigned_from_on
            and (
                employee_assignment.assigned_to_on is null
                or split.period_start_on < employee_assignment.assigned_to_on
            )
    qualify row_number() over (
            partition by split.pool_code, split.earned_quarter, split.claimant_number
            order by employee_assignment.assigned_from_on desc
        ) = 1
),

judged as (
    select
        split.*,
        placed.team_code,
        placed.country_code,
        team.cost_centre_code,
        case
            when split.claimant_number = '' then 'team_without_person'
            when placed.claimant_number is null then 'not_in_hris'
            when not placed.is_employed_at_end then 'left_before_quarter_end'
            when team.team_code is null then 'without_team'
            else 'earned'
        end as claim_status
    from split
    left join placed
        on
            split.pool_code = placed.pool_code
            and split.earned_quarter = placed.earned_quarter
            and split.claimant_number = placed.claimant_number
    left join team on placed.team_code = team.team_code
),

settled as (
    select
        *,
        case when claim_status = 'earned' then least(claimed_cents, cap_cents) else 0 end as earned_cents
    from judged
),

final as (
    select
        cast({{ md5_of(['pool_code', 'earned_quarter', 'claimant_number']) }} as varchar) as pool_claim_id,
        cast(pool_code as varchar) as pool_code,
        cast(earned_quarter as varchar) as earned_quarter,
        cast(allocation_basis as varchar) as allocation_basis,
        cast(nullif(claimant_number, '') as varchar) as employee_number,
        cast(team_code as varchar) as team_code,
        cast(country_code as varchar) as country_code,
        cast(cost_centre_code as varchar) as cost_centre_code,
        cast(claim_status as varchar) as claim_status,
        {{ round_half_up_ratio('claim_weight', 'total_weight', 6) }} as claim_share,
        cast(funded_amount as decimal(18, 2)) as funded_amount,
        cast({{ from_integer_units('claimed_cents', 2) }} as decimal(18, 2)) as claimed_amount,
        cast({{ from_integer_units('earned_cents', 2) }} as decimal(18, 2)) as earned_amount,
        cast({{ from_integer_units('claimed_cents - earned_cents', 2) }} as decimal(18, 2)) as unallocated_amount,
        cast(currency_code as varchar) as currency_code,
        cast(payment_period as varchar) as payment_period
    from settled
)

select * from final
