-- A figure for fewer than five people tells what one of them earned; shown groups must agree with the lines.
{{ config(meta={'dagster': {'ref': {'name': 'mart_team_payout'}}}) }}
with line_group as (
    select
        team_code,
        earned_quarter,
        currency_code,
        count(distinct employee_number) as participant_count,
        sum(payout_amount) as payout_amount
    from {{ ref('fct_incentive_payout') }}
    group by team_code, earned_quarter, currency_code
),

failure as (
    select
        line_group.team_code,
        line_group.earned_quarter,
        line_group.currency_code,
        line_group.participant_count,
        mart_team_payout.is_suppressed
    from line_group
    left join {{ ref('mart_team_payout') }} as mart_team_payout
        on
            line_group.team_code = mart_team_payout.team_code
            and line_group.earned_quarter = mart_team_payout.earned_quarter
            and line_group.currency_code = mart_team_payout.currency_code
    where
        mart_team_payout.team_code is null
        or (
            line_group.participant_count < 5
            and (
                mart_team_payout.payout_amount is not null
                or mart_team_payout.target_amount is not null
                or mart_team_payout.participant_count is not null
                or mart_team_payout.payout_to_target_share is not null
            )
        )
        or (
            line_group.participant_count >= 5
            and mart_team_payout.payout_amount is distinct from line_group.payout_amount
        )
)

select * from failure
