-- The schedule of accrued incentive pay: what each month recognises of each quarter and cost centre, the true-up to
-- what was calculated, and its release in the month of payment. Exact on whole numbers up to one rounding a row.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

incentive_period as (
    select * from {{ ref('int_incentive_period') }}
),

reporting_period as (
    select * from {{ ref('int_reporting_period') }}
    where period_grain = 'month'
),

accrual_policy as (
    select * from {{ ref('accrual_policy') }}
),

employee_assignment as (
    select * from {{ ref('int_employee_assignment') }}
    where is_in_incentive_plan
),

plan_activation as (
    select * from {{ ref('int_plan_activation') }}
    where is_activated
),

plan_component as (
    select * from {{ ref('plan_component') }}
),

team as (
    select * from {{ ref('team') }}
),

fct_incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

plan_tier as (
    select distinct
        plan_code,
        plan_version,
        tier
    from plan_component
),

-- months that have begun, of quarters whose policy recognises pay month by month
plan_month as (
    select
        incentive_period.plan_code,
        incentive_period.plan_version,
        incentive_period.earned_quarter,
        incentive_period.period_start_on,
        incentive_period.quarter_days,
        accrual_policy.expected_payout_share,
        reporting_period.period_code as accrual_month,
        reporting_period.period_start_on as month_start_on,
        reporting_period.period_end_on as month_end_on
    from incentive_period
    inner join accrual_policy
        on
            incentive_period.plan_code = accrual_policy.plan_code
            and accrual_policy.recognition_method = 'straight_line'
            and incentive_period.period_start_on >= accrual_policy.effective_from
            and (
                accrual_policy.effective_to is null
                or incentive_period.period_start_on <= accrual_policy.effective_to
            )
    inner join reporting_period
        on
            incentive_period.period_start_on <= reporting_period.period_start_on
            and incentive_period.period_end_on > reporting_period.period_start_on
),

piece as (
    select
        plan_month.earned_quarter,
        plan_month.accrual_month,
        plan_month.quarter_days,
        plan_month.expected_payout_share,
        employee_assignment.employee_number,
        employee_assignment.quarterly_target_amount,
        employee_assignment.currency_code,
        team.cost_centre_code,
        {{ day_count(
            'greatest(employee_assignment.assigned_from_on, plan_month.month_start_on)',
            'least(coalesce(employee_assignment.assigned_to_on, plan_month.month_end_on), plan_month.month_end_on)'
        ) }} as piece_days
    from plan_month
    inner join employee_assignment
        on
            plan_month.month_end_on > employee_assignment.assigned_from_on
            and (
                employee_assignment.assigned_to_on is null
                or plan_month.month_start_on < employee_assignment.assigned_to_on
            )
    inner join team on employee_assignment.team_code = team.team_code
    inner join plan_tier
        on
            plan_month.plan_code = plan_tier.plan_code
            and plan_month.plan_version = plan_tier.plan_version
            and team.tier = plan_tier.tier
    inner join plan_activation
        on
            plan_month.plan_code = plan_activation.plan_code
            and plan_month.plan_version = plan_activation.plan_version
            and coalesce(employee_assignment.country_code, '') = plan_activation.country_code
            and plan_month.period_start_on >= plan_activation.effective_from
),

recognition as (
    select
        earned_quarter,
        cost_centre_code,
        currency_code,
        accrual_month,
        'recognition' as accrual_kind,
        1 as kind_rank,
        count(distinct employee_number) as participant_count,
        {{ from_integer_units(
            round_half_up_integer(
                'sum('
                ~ integer_units('quarterly_target_amount', 2)
                ~ ' * ' ~ exact_integer('piece_days')
                ~ ' * ' ~ integer_units('expected_payout_share', 4)
                ~ ')',
                exact_integer('max(quarter_days)') ~ ' * 10000'
            ),
            2
        ) }} as accrual_amount
    from piece
    group by earned_quarter, cost_centre_code, currency_code, accrual_month
),

recognised as (
    select
        earned_quarter,
        cost_centre_code,
        currency_code,
        sum(accrual_amount) as recognised_amount
    from recognition
    group by earned_quarter, cost_centre_code, currency_code
),

payout as (
    select
        earned_quarter,
        cost_centre_code,
        currency_code,
        payment_period,
        count(distinct employee_number) as participant_count,
        sum(payout_amount) as payout_amount
    from fct_incentive_payout
    group by earned_quarter, cost_centre_code, currency_code, payment_period
),

earned as (
    select
        earned_quarter,
        cost_centre_code,
        currency_code,
        sum(payout_amount) as payout_amount
    from payout
    group by earned_quarter, cost_centre_code, currency_code
),

-- a quarter that is over owes what was calculated, whatever was expected
closed_quarter as (
    select
        earned_quarter,
        min({{ month_code(add_months('period_end_on', -1)) }}) as accrual_month
    from incentive_period
    where is_complete
    group by earned_quarter
),

owed as (
    select
        coalesce(earned.earned_quarter, recognised.earned_quarter) as earned_quarter,
        coalesce(earned.cost_centre_code, recognised.cost_centre_code) as cost_centre_code,
        coalesce(earned.currency_code, recognised.currency_code) as currency_code,
        coalesce(earned.payout_amount, 0) - coalesce(recognised.recognised_amount, 0) as true_up_amount
    from earned
    full outer join recognised
        on
            earned.earned_quarter = recognised.earned_quarter
            and earned.cost_centre_code = recognised.cost_centre_code
            and earned.currency_code = recognised.currency_code
),

true_up as (
    select
        owed.earned_quarter,
        owed.cost_centre_code,
        owed.currency_code,
        closed_quarter.accrual_month,
        'true_up' as accrual_kind,
        2 as kind_rank,
        0 as participant_count,
        owed.true_up_amount as accrual_amount
    from owed
    inner join closed_quarter on owed.earned_quarter = closed_quarter.earned_quarter
),

release as (
    select
        payout.earned_quarter,
        payout.cost_centre_code,
        payout.currency_code,
        payout.payment_period as accrual_month,
        'release' as accrual_kind,
        3 as kind_rank,
        payout.participant_count,
        -payout.payout_amount as accrual_amount
    from payout
    cross join run_context
    where cast({{ month_code_start('payout.payment_period') }} as timestamp) < run_context.as_of_at
),

movement as (
    select * from recognition

    union all

    select * from true_up

    union all

    select * from release
),

final as (
    select
        cast(
            {{ md5_of(['earned_quarter', 'cost_centre_code', 'currency_code', 'accrual_month', 'accrual_kind']) }}
            as varchar
        ) as accrual_key,
        cast(earned_quarter as varchar) as earned_quarter,
        cast(cost_centre_code as varchar) as cost_centre_code,
        cast(currency_code as varchar) as currency_code,
        cast(accrual_month as varchar) as accrual_month,
        cast(accrual_kind as varchar) as accrual_kind,
        cast(participant_count as bigint) as participant_count,
        cast(accrual_amount as decimal(18, 2)) as accrual_amount,
        cast(
            sum(accrual_amount) over (
                partition by earned_quarter, cost_centre_code, currency_code
                order by accrual_month, kind_rank
                rows between unbounded preceding and current row
            ) as decimal(18, 2)
        ) as balance_amount,
        cast('ACC-' || earned_quarter as varchar) as reference
    from movement
    where accrual_amount <> 0
)

select * from final
