-- Every stretch of registered duty, what it earns, and why it earns nothing. Time served twice at once counts once.
with recursive
on_call_stretch as (
    select * from {{ ref('int_on_call_stretch') }}
),

on_call_rate as (
    select * from {{ ref('on_call_rate') }}
),

team as (
    select * from {{ ref('team') }}
),

standing as (
    select
        *,
        {{ seconds_between('starts_at', 'ends_at') }} as duty_seconds
    from on_call_stretch
    where refusal_code is null
),

-- stretches of a person that hang together by overlaps: what is not in one of these displaces nothing in it
ordered as (
    select
        *,
        max(ends_at) over (
            partition by employee_id order by starts_at, ends_at, on_call_stretch_key
            rows between unbounded preceding and 1 preceding
        ) as ended_before_at
    from standing
),

chained as (
    select
        *,
        sum(case when ended_before_at is null or starts_at >= ended_before_at then 1 else 0 end) over (
            partition by employee_id order by starts_at, ends_at, on_call_stretch_key
            rows between unbounded preceding and current row
        ) as chain_number
    from ordered
),

-- the more critical duty stands, of equal ones the longer, then the earlier
ranked as (
    select
        *,
        row_number() over (
            partition by employee_id, chain_number
            order by criticality asc, duty_seconds desc, starts_at asc, on_call_stretch_key asc
        ) as strength_number
    from chained
),

conflict as (
    select
        ranked.on_call_stretch_key,
        stronger.strength_number as stronger_number
    from ranked
    inner join ranked as stronger
        on
            ranked.employee_id = stronger.employee_id
            and ranked.chain_number = stronger.chain_number
            and ranked.strength_number > stronger.strength_number
            and ranked.starts_at < stronger.ends_at
            and stronger.starts_at < ranked.ends_at
),

-- from the strongest on: what overlaps one that stands is displaced, and what is displaced displaces nothing itself
decided as (
    select
        employee_id,
        chain_number,
        strength_number,
        on_call_stretch_key,
        '|1|' as standing_numbers
    from ranked
    where strength_number = 1

    union all

    select
        ranked.employee_id,
        ranked.chain_number,
        ranked.strength_number,
        ranked.on_call_stretch_key,
        decided.standing_numbers
        || case
            when exists (
                    select 1
                    from conflict
                    where
                        conflict.on_call_stretch_key = ranked.on_call_stretch_key
                        and decided.standing_numbers
                        like ('%|' || cast(conflict.stronger_number as varchar) || '|%')
                )
                then ''
            else cast(ranked.strength_number as varchar) || '|'
        end as standing_numbers
    from decided
    inner join ranked
        on
            decided.employee_id = ranked.employee_id
            and decided.chain_number = ranked.chain_number
            and decided.strength_number + 1 = ranked.strength_number
),

overlapped as (
    select on_call_stretch_key
    from decided
    where standing_numbers not like ('%|' || cast(strength_number as varchar) || '|%')
),

rated as (
    select
        on_call_stretch.*,
        team.cost_centre_code,
        on_call_rate.reward_amount,
        on_call_rate.currency_code,
        on_call_rate.frequent_from_number,
        on_call_rate.frequent_factor,
        {{ month_code(
            add_months(quarter_start('on_call_stretch.duty_on'), '2 + on_call_rate.payment_lag_months')
        ) }} as payment_period,
        case
            when on_call_stretch.refusal_code is not null then on_call_stretch.refusal_code
            when overlapped.on_call_stretch_key is not null then 'overlapped'
            when team.team_code is null then 'without_team'
            when on_call_rate.reward_amount is null then 'no_rate'
            else 'rewarded'
        end as duty_status
    from on_call_stretch
    left join overlapped on on_call_stretch.on_call_stretch_key = overlapped.on_call_stretch_key
    left join team on on_call_stretch.team_code = team.team_code
    left join on_call_rate
        on
            on_call_stretch.country_code = on_call_rate.country_code
            and on_call_stretch.duty_source = on_call_rate.duty_source
            and on_call_stretch.criticality = on_call_rate.criticality
            and on_call_stretch.duty_on >= on_call_rate.effective_from
            and on_call_stretch.duty_on <= coalesce(on_call_rate.effective_to, date '9999-12-31')
),

-- how often the person served in the quarter so far, by kind of duty
numbered as (
    select
        *,
        case
            when duty_status = 'rewarded'
                then row_number() over (
                        partition by employee_id, duty_source, {{ quarter_start('duty_on') }}, duty_status
                        order by starts_at, on_call_stretch_key
                    )
        end as duty_number
    from rated
),

priced as (
    select
        *,
        case
            when duty_number >= frequent_from_number then {{ integer_units('frequent_factor', 4) }}
            when duty_number is not null then 10000
        end as factor_units
    from numbered
),

final as (
    select
        cast(on_call_stretch_key as varchar) as on_call_stretch_key,
        cast(employee_number as varchar) as employee_number,
        cast(duty_source as varchar) as duty_source,
        cast(duty_code as varchar) as duty_code,
        cast(criticality as integer) as criticality,
        cast(team_code as varchar) as team_code,
        cast(country_code as varchar) as country_code,
        cast(cost_centre_code as varchar) as cost_centre_code,
        cast({{ quarter_code('duty_on') }} as varchar) as earned_quarter,
        cast(duty_on as date) as duty_on,
        cast(starts_at as timestamp) as starts_at,
        cast(ends_at as timestamp) as ends_at,
        cast(duty_status as varchar) as duty_status,
        cast(duty_number as integer) as duty_number,
        cast({{ from_integer_units('factor_units', 4) }} as decimal(9, 4)) as frequency_factor,
        cast(case when duty_number is not null then reward_amount end as decimal(18, 2)) as rate_amount,
        cast(
            coalesce(
                {{ from_integer_units(
                    round_half_up_integer(integer_units('reward_amount', 2) ~ ' * factor_units', '10000'), 2
                ) }},
                0
            ) as decimal(18, 2)
        ) as earned_amount,
        cast(case when duty_number is not null then currency_code end as varchar) as currency_code,
        cast(case when duty_number is not null then payment_period end as varchar) as payment_period,
        cast(batch_id as varchar) as batch_id
    from priced
)

select * from final
