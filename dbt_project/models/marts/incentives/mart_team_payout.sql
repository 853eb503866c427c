-- Payouts by team, quarter and currency for readers who may not see a person's pay: a group of fewer
-- participants than fewest_persons_shown shows no figure. No total over teams is published here, so a hidden group
-- cannot be had by subtraction.
with fct_incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

team as (
    select * from {{ ref('team') }}
),

grouped as (
    select
        team_code,
        earned_quarter,
        period_start_on,
        currency_code,
        payment_period,
        count(distinct employee_number) as participant_count,
        sum(payout_amount) as payout_amount,
        -- target x days x weight as a whole number over quarter days x 10^4, so that lines add up exactly
        sum(
            {{ integer_units('target_amount', 2) }}
            * {{ exact_integer('segment_days') }}
            * {{ integer_units('weight', 4) }}
        ) as target_numerator,
        {{ exact_integer('max(quarter_days)') }} * 10000 as target_denominator
    from fct_incentive_payout
    group by team_code, earned_quarter, period_start_on, currency_code, payment_period
),

targeted as (
    select
        *,
        participant_count < {{ var('fewest_persons_shown') }} as is_suppressed,
        {{ from_integer_units(round_half_up_integer('target_numerator', 'target_denominator'), 2) }}
            as target_amount
    from grouped
),

final as (
    select
        cast(targeted.team_code as varchar) as team_code,
        cast(team.team_name as varchar) as team_name,
        cast(team.tier as integer) as tier,
        cast(team.country_code as varchar) as country_code,
        cast(targeted.earned_quarter as varchar) as earned_quarter,
        cast(targeted.period_start_on as date) as period_start_on,
        cast(targeted.currency_code as varchar) as currency_code,
        cast(targeted.payment_period as varchar) as payment_period,
        cast(targeted.is_suppressed as boolean) as is_suppressed,
        cast(case when not targeted.is_suppressed then targeted.participant_count end as bigint)
            as participant_count,
        cast(case when not targeted.is_suppressed then targeted.target_amount end as decimal(18, 2))
            as target_amount,
        cast(case when not targeted.is_suppressed then targeted.payout_amount end as decimal(18, 2))
            as payout_amount,
        cast(
            case
                when not targeted.is_suppressed then {{ round_half_up_ratio(
                    integer_units('targeted.payout_amount', 2), integer_units('targeted.target_amount', 2), 6
                ) }}
            end as decimal(18, 6)
        ) as payout_to_target_share
    from targeted
    inner join team on targeted.team_code = team.team_code
)

select * from final
