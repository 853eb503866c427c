-- Whatever a person earned of variable pay, whichever way it was earned: what caps, clawback and ledger read. A further
-- kind of earning is one more import and one more branch of the union.
with incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

draw as (
    select * from {{ ref('fct_draw') }}
    where earned_amount <> 0
),

on_call_reward as (
    select * from {{ ref('fct_on_call_reward') }}
),

pool_allocation as (
    select * from {{ ref('fct_pool_allocation') }}
),

award_vesting as (
    select * from {{ ref('fct_award_vesting') }}
    where is_earned
),

earned as (
    select
        payout_line_id as earning_line_id,
        'incentive' as earning_kind,
        plan_code,
        employee_number,
        earned_quarter,
        team_code,
        country_code,
        cost_centre_code,
        currency_code,
        payout_amount as earned_amount,
        payment_period
    from incentive_payout

    union all

    -- an advance on what a plan pays; negative where it is set off
    select
        earning_line_id,
        earning_kind,
        plan_code,
        employee_number,
        earned_quarter,
        cast(null as varchar) as team_code,
        country_code,
        cost_centre_code,
        currency_code,
        earned_amount,
        payment_period
    from draw

    union all

    select
        earning_line_id,
        earning_kind,
        cast(null as varchar) as plan_code,
        employee_number,
        earned_quarter,
        team_code,
        country_code,
        cost_centre_code,
        currency_code,
        earned_amount,
        payment_period
    from on_call_reward

    union all

    select
        earning_line_id,
        earning_kind,
        cast(null as varchar) as plan_code,
        employee_number,
        earned_quarter,
        team_code,
        country_code,
        cost_centre_code,
        currency_code,
        earned_amount,
        payment_period
    from pool_allocation

    union all

    select
        earning_line_id,
        earning_kind,
        cast(null as varchar) as plan_code,
        employee_number,
        earned_quarter,
        team_code,
        country_code,
        cost_centre_code,
        currency_code,
        earned_amount,
        payment_period
    from award_vesting
),

final as (
    select
        cast(earning_line_id as varchar) as earning_line_id,
        cast(earning_kind as varchar) as earning_kind,
        cast(plan_code as varchar) as plan_code,
        cast(employee_number as varchar) as employee_number,
        cast(earned_quarter as varchar) as earned_quarter,
        cast(team_code as varchar) as team_code,
        cast(country_code as varchar) as country_code,
        cast(cost_centre_code as varchar) as cost_centre_code,
        cast(currency_code as varchar) as currency_code,
        cast(earned_amount as decimal(18, 2)) as earned_amount,
        cast(payment_period as varchar) as payment_period
    from earned
)

select * from final
