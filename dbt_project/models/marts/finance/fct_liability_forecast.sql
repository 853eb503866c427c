-- What is still to be paid, by month: what the ledger has booked and not paid, and what open quarters are expected to
-- earn. Expected: the person's target for the days of the quarter, times the share of targets that was earned, after
-- caps, in the same plan and currency over the complete quarters before, at most four.
with payout_ledger as (
    select * from {{ ref('fct_payout_ledger') }}
),

payout_balance as (
    select * from {{ ref('fct_payout_balance') }}
    where payout_status in ('pending', 'partly_exported')
),

fct_incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

incentive_period as (
    select * from {{ ref('int_incentive_period') }}
),

employee_assignment as (
    select * from {{ ref('int_employee_assignment') }}
    where is_in_incentive_plan
),

plan_activation as (
    select * from {{ ref('int_plan_activation') }}
    where is_activated
),

-- booked and not paid
booked as (
    select
        payment_period,
        currency_code,
        'booked' as forecast_kind,
        cast(null as varchar) as plan_code,
        cast(null as varchar) as earned_quarter,
        count(distinct employee_number) as person_count,
        sum(open_amount) as forecast_amount,
        cast(null as bigint) as reference_quarter_count,
        cast(null as decimal(18, 6)) as earned_share,
        cast(null as decimal(18, 2)) as target_amount
    from payout_balance
    group by payment_period, currency_code
),

-- what a line's target was: the same for all components of a segment, so each takes its weight of it
line_target as (
    select
        fct_incentive_payout.plan_code,
        fct_incentive_payout.earned_quarter,
        fct_incentive_payout.currency_code,
        sum(
            {{ integer_units('fct_incentive_payout.target_amount', 2) }}
            * {{ exact_integer('fct_incentive_payout.segment_days') }}
            * {{ integer_units('fct_incentive_payout.weight', 4) }}
        ) as target_units,
        max(fct_incentive_payout.quarter_days) as quarter_days
    from fct_incentive_payout
    group by
        fct_incentive_payout.plan_code, fct_incentive_payout.earned_quarter, fct_incentive_payout.currency_code
),

target_of_quarter as (
    select
        plan_code,
        earned_quarter,
        currency_code,
        {{ round_half_up_integer('target_units', exact_integer('quarter_days') ~ ' * 10000') }} as target_cents
    from line_target
),

plan_of_line as (
    select distinct
        payout_line_id,
        plan_code
    from fct_incentive_payout
),

earned as (
    select
        plan_of_line.plan_code,
        payout_ledger.earned_quarter,
        payout_ledger.currency_code,
        sum({{ integer_units('payout_ledger.amount', 2) }}) as earned_cents
    from payout_ledger
    inner join plan_of_line on payout_ledger.earning_line_id = plan_of_line.payout_line_id
    where payout_ledger.item_kind in ('earning', 'cap')
    group by plan_of_line.plan_code, payout_ledger.earned_quarter, payout_ledger.currency_code
),

reference_quarter as (
    select
        earned.plan_code,
        earned.currency_code,
        earned.earned_cents,
        target_of_quarter.target_cents
    from earned
    inner join target_of_quarter
        on
            earned.plan_code = target_of_quarter.plan_code
            and earned.earned_quarter = target_of_quarter.earned_quarter
            and earned.currency_code = target_of_quarter.currency_code
    qualify row_number() over (
            partition by earned.plan_code, earned.currency_code order by earned.earned_quarter desc
        ) <= 4
),

reference_share as (
    select
        plan_code,
        currency_code,
        count(*) as reference_quarter_count,
        {{ round_half_up_ratio('sum(earned_cents)', 'sum(target_cents)', 6) }} as earned_share
    from reference_quarter
    group by plan_code, currency_code
),

-- quarters that have begun and not ended: who is assigned, for the days, as far as is known now
open_segment as (
    select
        incentive_period.plan_code,
        incentive_period.earned_quarter,
        incentive_period.payment_period,
        incentive_period.quarter_days,
        employee_assignment.employee_number,
        employee_assignment.currency_code,
        {{ integer_units('employee_assignment.quarterly_target_amount', 2) }}
        * {{ exact_integer(day_count(
            'greatest(employee_assignment.assigned_from_on, incentive_period.period_start_on)',
            'least(coalesce(employee_assignment.assigned_to_on, incentive_period.period_end_on), incentive_period.period_end_on)'
        )) }} as target_units
    from incentive_period
    inner join employee_assignment
        on
            incentive_period.period_end_on > employee_assignment.assigned_from_on
            and (
                employee_assignment.assigned_to_on is null
                or incentive_period.period_start_on < employee_assignment.assigned_to_on
            )
    inner join plan_activation
        on
            incentive_period.plan_code = plan_activation.plan_code
            and incentive_period.plan_version = plan_activation.plan_version
            and coalesce(employee_assignment.country_code, '') = plan_activation.country_code
            and incentive_period.period_start_on >= plan_activation.effective_from
    where not incentive_period.is_complete
),

open_quarter as (
    select
        plan_code,
        earned_quarter,
        payment_period,
        currency_code,
        count(distinct employee_number) as person_count,
        {{ round_half_up_integer('sum(target_units)', exact_integer('max(quarter_days)')) }} as target_cents
    from open_segment
    group by plan_code, earned_quarter, payment_period, currency_code
),

expected as (
    select
        open_quarter.payment_period,
        open_quarter.currency_code,
        'expected' as forecast_kind,
        open_quarter.plan_code,
        open_quarter.earned_quarter,
        open_quarter.person_count,
        {{ from_integer_units(round_half_up_integer(
            'open_quarter.target_cents * ' ~ integer_units('reference_share.earned_share', 6), exact_integer('1000000')
        ), 2) }} as forecast_amount,
        reference_share.reference_quarter_count,
        reference_share.earned_share,
        {{ from_integer_units('open_quarter.target_cents', 2) }} as target_amount
    from open_quarter
    left join reference_share
        on
            open_quarter.plan_code = reference_share.plan_code
            and open_quarter.currency_code = reference_share.currency_code
),

forecast as (
    select * from booked
    union all
    select * from expected
),

final as (
    select
        cast({{ md5_of([
            'payment_period', 'currency_code', 'forecast_kind', 'plan_code', 'earned_quarter'
        ]) }} as varchar) as liability_forecast_key,
        cast(payment_period as varchar) as payment_period,
        cast(currency_code as varchar) as currency_code,
        cast(forecast_kind as varchar) as forecast_kind,
        cast(plan_code as varchar) as plan_code,
        cast(earned_quarter as varchar) as earned_quarter,
        cast(person_count as bigint) as person_count,
        cast(target_amount as decimal(18, 2)) as target_amount,
        cast(earned_share as decimal(18, 6)) as earned_share,
        cast(reference_quarter_count as bigint) as reference_quarter_count,
        cast(forecast_amount as decimal(18, 2)) as forecast_amount,
        cast(
            case
                when forecast_kind = 'booked' then 'ledger: lines booked and not handed to payroll'
                when earned_share is null then 'no complete quarter of the plan in this currency to go by'
                else 'targets of the open quarter times the share earned over '
                    || cast(reference_quarter_count as varchar) || ' complete quarters, caps taken off'
            end as varchar
        ) as forecast_method
    from forecast
)

select * from final
