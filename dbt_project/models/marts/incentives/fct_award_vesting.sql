-- Every tranche of every long-term award: when it vests, whether it did, and why it did not.
with long_term_award as (
    select * from {{ ref('long_term_award') }}
),

vesting_schedule as (
    select * from {{ ref('vesting_schedule') }}
),

award_event as (
    select * from {{ ref('award_event') }}
),

employment as (
    select * from {{ ref('int_employment') }}
    where is_primary
),

employee_assignment as (
    select * from {{ ref('int_employee_assignment') }}
),

team as (
    select * from {{ ref('team') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

-- what was decided by the as-of day, the earliest of a kind
decision as (
    select
        award_event.award_code,
        min(case when award_event.event_type = 'good_leaver' then award_event.occurred_on end) as good_leaver_on,
        min(case when award_event.event_type = 'acceleration' then award_event.occurred_on end) as accelerated_on,
        min(case when award_event.event_type = 'forfeiture' then award_event.occurred_on end) as forfeited_on
    from award_event
    cross join run_context
    where award_event.decided_on <= cast(run_context.as_of_at as date)
    group by award_event.award_code
),

tranche as (
    select
        long_term_award.award_code,
        long_term_award.employee_number,
        long_term_award.vesting_schedule_code,
        long_term_award.granted_on,
        long_term_award.award_amount,
        long_term_award.currency_code,
        long_term_award.payment_lag_months,
        long_term_award.approved_on,
        vesting_schedule.tranche_number,
        vesting_schedule.good_leaver_rule,
        {{ add_months('long_term_award.granted_on', 'vesting_schedule.vests_after_months') }} as scheduled_on,
        {{ integer_units('long_term_award.award_amount', 2) }}
        * {{ integer_units('vesting_schedule.vest_share', 6) }} as cent_numerator,
        {{ exact_integer(1000000) }} as cent_denominator,
        employment.employee_number is not null as is_employed_at_grant,
        employment.employed_to_on as left_on,
        decision.good_leaver_on,
        decision.accelerated_on,
        decision.forfeited_on,
        cast(run_context.as_of_at as date) as as_of_on
    from long_term_award
    cross join run_context
    inner join vesting_schedule
        on long_term_award.vesting_schedule_code = vesting_schedule.vesting_schedule_code
    left join employment
        on
            long_term_award.employee_number = employment.employee_number
            and long_term_award.granted_on >= employment.employed_from_on
            and (
                employment.employed_to_on is null or long_term_award.granted_on < employment.employed_to_on
            )
    left join decision on long_term_award.award_code = decision.award_code
    where long_term_award.granted_on <= cast(run_context.as_of_at as date)
),

split as (
    select
        *,
        {{ allocate_largest_remainder('cent_numerator', 'cent_denominator', 'award_code', 'tranche_number') }}
            as tranche_cents
    from tranche
),

-- a decision or a departure on the day a tranche vests comes before it
dated as (
    select
        *,
        coalesce(left_on <= scheduled_on, false) as is_left_before,
        coalesce(
            accelerated_on < scheduled_on and (left_on is null or accelerated_on < left_on), false
        ) as is_accelerated,
        coalesce(good_leaver_on <= left_on and left_on <= scheduled_on, false) as is_good_leaver
    from split
),

timed as (
    select
        *,
        case
            when is_accelerated then accelerated_on
            when is_good_leaver and good_leaver_rule = 'accelerate' then left_on
            else scheduled_on
        end as vests_on
    from dated
),

judged as (
    select
        *,
        case
            when approved_on is null or approved_on > granted_on then 'not_approved'
            when not is_employed_at_grant then 'not_employed_at_grant'
            when forfeited_on <= vests_on and forfeited_on <= as_of_on then 'forfeited_by_decision'
            when
                is_left_before and not is_accelerated and (not is_good_leaver or good_leaver_rule = 'forfeit')
                and left_on <= as_of_on
                then 'forfeited_on_leaving'
            when vests_on > as_of_on then 'pending'
            when vests_on < scheduled_on then 'accelerated'
            else 'vested'
        end as vesting_status
    from timed
),

-- where the person stood on the day, or last before it
placed as (
    select
        judged.award_code,
        judged.tranche_number,
        employee_assignment.team_code,
        employee_assignment.country_code
    from judged
    inner join employee_assignment
        on
            judged.employee_number = employee_assignment.employee_number
            and employee_assignment.assigned_from_on <= least(judged.vests_on, judged.as_of_on)
    qualify row_number() over (
            partition by judged.award_code, judged.tranche_number order by employee_assignment.assigned_from_on desc
        ) = 1
),

settled as (
    select
        judged.*,
        placed.team_code,
        placed.country_code,
        team.cost_centre_code,
        judged.vesting_status in ('vested', 'accelerated') as is_earned
    from judged
    left join placed
        on judged.award_code = placed.award_code and judged.tranche_number = placed.tranche_number
    left join team on placed.team_code = team.team_code
),

final as (
    select
        cast({{ md5_of(["'award'", 'award_code', 'tranche_number']) }} as varchar) as earning_line_id,
        cast('award' as varchar) as earning_kind,
        cast(employee_number as varchar) as employee_number,
        cast({{ quarter_code('vests_on') }} as varchar) as earned_quarter,
        cast(team_code as varchar) as team_code,
        cast(country_code as varchar) as country_code,
        cast(cost_centre_code as varchar) as cost_centre_code,
        cast(currency_code as varchar) as currency_code,
        cast(case when is_earned then {{ from_integer_units('tranche_cents', 2) }} else 0 end as decimal(18, 2))
            as earned_amount,
        cast({{ month_code(add_months('vests_on', 'payment_lag_months')) }} as varchar) as payment_period,
        cast(award_code as varchar) as award_code,
        cast(tranche_number as integer) as tranche_number,
        cast(vesting_schedule_code as varchar) as vesting_schedule_code,
        cast(granted_on as date) as granted_on,
        cast(scheduled_on as date) as scheduled_on,
        cast(vests_on as date) as vests_on,
        cast(vesting_status as varchar) as vesting_status,
        cast(is_earned as boolean) as is_earned,
        cast(award_amount as decimal(18, 2)) as award_amount,
        cast({{ from_integer_units('tranche_cents', 2) }} as decimal(18, 2)) as tranche_amount,
        cast(
            case when vesting_status = 'pending' then {{ from_integer_units('tranche_cents', 2) }} else 0 end
            as decimal(18, 2)
        ) as pending_amount,
        cast(
            case
                when vesting_status = 'pending' or is_earned then 0
                else {{ from_integer_units('tranche_cents', 2) }}
            end as decimal(18, 2)
        ) as forfeited_amount
    from settled
)

select * from final
