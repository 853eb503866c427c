with capacity as (
    select * from {{ ref('int_capacity') }}
),

tickets as (
    select * from {{ ref('fct_ticket_slt') }}
    where phase = 'response'
),

-- the target a team's tickets of a priority had: of several the strictest decides
targets as (
    select
        team_code,
        slt_code,
        priority,
        {{ month_start('start_at') }} as period_month,
        min(target_seconds) as target_seconds,
        count(*) as judged_ticket_count
    from tickets
    where team_code is not null
    group by team_code, slt_code, priority, {{ month_start('start_at') }}
),

loads as (
    select
        *,
        {{ float_ratio('peak_hour_ticket_count * handling_seconds', '3600') }} as offered_erlangs
    from capacity
),

-- every number of agents that could matter: those there, and as many as a load could need
agent_numbers as (
    select
        team_code,
        period_month,
        offered_erlangs,
        {{ number_spine('0', 'cast(ceil(offered_erlangs) as bigint) + agent_count + 30') }} as agent_number
    from loads
    where offered_erlangs > 0
),

log_factorials as (
    select
        *,
        coalesce(
            sum({{ natural_log('agent_number') }}) over (
                partition by team_code, period_month order by agent_number
            ),
            0
        ) as log_factorial
    from agent_numbers
),

poisson as (
    select
        *,
        {{ natural_exp(
            'agent_number * ' ~ natural_log('offered_erlangs') ~ ' - log_factorial - offered_erlangs'
        ) }} as probability
    from log_factorials
),

-- Erlang's loss formula as a ratio of Poisson terms
losses as (
    select
        *,
        {{ float_ratio(
            'probability',
            'sum(probability) over (partition by team_code, period_month order by agent_number)'
        ) }} as loss_probability
    from poisson
),

-- Erlang C from it: C = c B / (c - a (1 - B)); with no more agents than erlangs the queue grows without end
waits as (
    select
        team_code,
        period_month,
        offered_erlangs,
        agent_number,
        case
            when agent_number > offered_erlangs
                then {{ float_ratio(
                    'agent_number * loss_probability',
                    'agent_number - offered_erlangs * (1 - loss_probability)'
                ) }}
            else 1
        end as wait_probability
    from losses
),

judged_loads as (
    select
        loads.*,
        targets.slt_code,
        targets.priority,
        targets.target_seconds,
        targets.judged_ticket_count
    from loads
    inner join targets on loads.team_code = targets.team_code and loads.period_month = targets.period_month
),

predicted as (
    select
        judged_loads.team_code,
        judged_loads.period_month,
        judged_loads.slt_code,
        judged_loads.priority,
        waits.agent_number,
        waits.wait_probability,
        case
            when waits.agent_number > waits.offered_erlangs
                then 1 - waits.wait_probability * {{ natural_exp(
                    '-(waits.agent_number - waits.offered_erlangs) * '
                    ~ float_ratio('judged_loads.target_seconds', 'judged_loads.handling_seconds')
                ) }}
            else 0
        end as attainment
    from judged_loads
    inner join waits on judged_loads.team_code = waits.team_code and judged_loads.period_month = waits.period_month
),

required as (
    select
        predicted.team_code,
        predicted.period_month,
        predicted.slt_code,
        predicted.priority,
        min(predicted.agent_number) as required_agent_count
    from predicted
    inner join capacity
        on predicted.team_code = capacity.team_code and predicted.period_month = capacity.period_month
    where predicted.attainment >= capacity.response_attainment_share
    group by predicted.team_code, predicted.period_month, predicted.slt_code, predicted.priority
),

numbered_months as (
    select
        team_code,
        period_month,
        workload_seconds,
        row_number() over (partition by team_code order by period_month) as place_number
    from capacity
),

-- a line through the workload of the month and the five before it
trend_months as (
    select
        later.team_code,
        later.period_month,
        count(*) as trend_month_count,
        {{ slope_of('earlier.workload_seconds', 'earlier.place_number') }} as slope_seconds
    from numbered_months as later
    inner join numbered_months as earlier
        on
            later.team_code = earlier.team_code
            and earlier.place_number between later.place_number - 5 and later.place_number
    group by later.team_code, later.period_month
),

combined as (
    select
        judged_loads.*,
        case when judged_loads.peak_hour_ticket_count = 0 then 1 else predicted.attainment end as attainment,
        case when judged_loads.peak_hour_ticket_count = 0 then 0 else predicted.wait_probability end
            as wait_probability,
        case when judged_loads.peak_hour_ticket_count = 0 then 0 else required.required_agent_count end
            as required_agent_count,
        {{ float_ratio('judged_loads.workload_seconds', 'judged_loads.capacity_seconds') }} as utilisation,
        case when trend_months.trend_month_count >= 6 then trend_months.slope_seconds end as slope_seconds,
        judged_loads.agent_count > judged_loads.offered_erlangs as is_stable
    from judged_loads
    left join predicted
        on
            judged_loads.team_code = predicted.team_code
            and judged_loads.period_month = predicted.period_month
            and judged_loads.slt_code = predicted.slt_code
            and judged_loads.priority = predicted.priority
            and judged_loads.agent_count = predicted.agent_number
    left join required
        on
            judged_loads.team_code = required.team_code
            and judged_loads.period_month = required.period_month
            and judged_loads.slt_code = required.slt_code
            and judged_loads.priority = required.priority
    left join trend_months
        on
            judged_loads.team_code = trend_months.team_code
            and judged_loads.period_month = trend_months.period_month
),

planned as (
    select
        *,
        case
            when peak_hour_ticket_count > 0 and not is_stable then 'target_not_feasible'
            when attainment < response_attainment_share then 'target_at_risk'
            else 'capacity_ok'
        end as capacity_verdict,
        -- the wait that the promised share of tickets stays below with the agents there are
        case
            when is_stable and wait_probability > 1 - response_attainment_share
                then handling_seconds * {{ float_ratio(
                    natural_log(float_ratio('wait_probability', '1 - response_attainment_share')),
                    'agent_count - offered_erlangs'
                ) }}
        end as reachable_seconds,
        case
            when slope_seconds > 0
                then {{ float_ratio(
                    'utilisation_limit_share * capacity_seconds - workload_seconds', 'slope_seconds'
                ) }}
        end as months_left
    from combined
),

final as (
    select
        cast(team_code as varchar) as team_code,
        cast(period_month as date) as period_month,
        cast(slt_code as varchar) as slt_code,
        cast(priority as integer) as priority,
        cast(staffed_calendar_code as varchar) as staffed_calendar_code,
        cast(target_seconds as bigint) as target_seconds,
        cast(judged_ticket_count as bigint) as judged_ticket_count,
        cast(ticket_count as bigint) as ticket_count,
        cast(open_ticket_count as bigint) as open_ticket_count,
        cast(peak_hour_ticket_count as bigint) as peak_hour_ticket_count,
        cast(busiest_hour_number as integer) as busiest_hour_number,
        cast(handling_seconds as bigint) as handling_seconds,
        {{ decimal_of('offered_erlangs') }} as offered_load_factor,
        cast(agent_count as bigint) as agent_count,
        cast(required_agent_count as bigint) as required_agent_count,
        {{ decimal_of('wait_probability') }} as wait_share,
        {{ decimal_of('attainment') }} as predicted_attainment_share,
        cast(response_attainment_share as decimal(18, 6)) as response_attainment_share,
        cast(capacity_verdict as varchar) as capacity_verdict,
        -- rounded up to whole minutes
        cast(
            case
                when capacity_verdict = 'target_at_risk'
                    then 60 * cast(ceil({{ float_ratio('reachable_seconds', '60') }}) as bigint)
            end as bigint
        ) as suggested_peak_target_seconds,
        cast(case when capacity_verdict = 'target_at_risk' then staffed_calendar_code end as varchar)
            as suggested_starts_within_calendar_code,
        cast(workload_seconds as bigint) as workload_seconds,
        cast(capacity_seconds as bigint) as capacity_seconds,
        {{ decimal_of('utilisation') }} as utilisation_share,
        cast(utilisation_limit_share as decimal(18, 6)) as utilisation_limit_share,
        {{ whole_number_of('slope_seconds') }} as workload_trend_seconds,
        cast(
            case
                when workload_seconds > utilisation_limit_share * capacity_seconds then period_month
                -- beyond five years a line says nothing
                when months_left <= 60 then {{ add_months('period_month', 'cast(ceil(months_left) as integer)') }}
            end as date
        ) as exhausted_month
    from planned
)

select * from final
