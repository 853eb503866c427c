with assumptions as (
    select * from {{ ref('target_assumption') }}
),

tickets as (
    select * from {{ ref('int_ticket') }}
    where not has_history_contradiction
),

results as (
    select * from {{ ref('fct_ticket_slt') }}
    where phase = 'resolution' and stop_at is not null and slt_status not in ('invalid', 'canceled')
),

services as (
    select * from {{ ref('service') }}
),

capacity as (
    select * from {{ ref('int_capacity') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

-- whole months from the assumption's beginning to the as-of instant
days as (
    select
        assumptions.*,
        run_context.as_of_at,
        {{ date_spine(
            month_start(add_days(add_months('assumptions.effective_from', 1), -1)),
            'case when assumptions.effective_to < cast(run_context.as_of_at as date) then assumptions.effective_to '
            ~ 'else cast(run_context.as_of_at as date) end'
        ) }} as period_month
    from assumptions
    cross join run_context
),

months as (
    select
        *,
        {{ add_months('period_month', 1) }} as next_month
    from days
    where
        period_month = {{ month_start('period_month') }}
        and cast({{ add_months('period_month', 1) }} as timestamp) <= as_of_at
        and {{ add_months('period_month', 1) }} <= {{ add_days("coalesce(effective_to, date '9999-12-30')", 1) }}
),

ticket_months as (
    select
        tickets.source_system,
        tickets.service_code,
        tickets.team_code,
        tickets.priority,
        services.vendor_code,
        {{ month_start('tickets.opened_at') }} as period_month
    from tickets
    left join services on tickets.service_code = services.service_code
),

counted as (
    select
        months.assumption_code,
        months.period_month,
        count(*) as ticket_count,
        sum(case when ticket_months.priority = 1 then 1 else 0 end) as first_priority_count
    from months
    inner join ticket_months
        on
            months.source_system = ticket_months.source_system
            and months.period_month = ticket_months.period_month
            and coalesce(months.service_code, coalesce(ticket_months.service_code, ''))
            = coalesce(ticket_months.service_code, '')
            and coalesce(months.team_code, coalesce(ticket_months.team_code, ''))
            = coalesce(ticket_months.team_code, '')
            and coalesce(months.vendor_code, coalesce(ticket_months.vendor_code, ''))
            = coalesce(ticket_months.vendor_code, '')
    where months.metric_code in ('ticket_count', 'first_priority_share')
    group by months.assumption_code, months.period_month
),

-- a ticket that waited for somebody was paused; on a vendor's services that is the vendor's answer, as far as
-- the source tells it apart
waits as (
    select
        results.source_system,
        results.service_code,
        results.team_code,
        services.vendor_code,
        results.paused_seconds,
        {{ month_start('results.stop_at') }} as period_month
    from results
    left join services on results.service_code = services.service_code
    where results.paused_seconds > 0
),

waited as (
    select
        months.assumption_code,
        months.period_month,
        count(*) as wait_count,
        {{ median_of('waits.paused_seconds') }} as median_wait_seconds
    from months
    inner join waits
        on
            months.source_system = waits.source_system
            and months.period_month = waits.period_month
            and coalesce(months.service_code, coalesce(waits.service_code, '')) = coalesce(waits.service_code, '')
            and coalesce(months.team_code, coalesce(waits.team_code, '')) = coalesce(waits.team_code, '')
            and coalesce(months.vendor_code, coalesce(waits.vendor_code, '')) = coalesce(waits.vendor_code, '')
    where months.metric_code = 'median_wait_seconds'
    group by months.assumption_code, months.period_month
),

staffed as (
    select
        months.assumption_code,
        months.period_month,
        sum(capacity.employee_days) as employee_days,
        {{ day_count('months.period_month', 'months.next_month') }} as period_days
    from months
    inner join capacity
        on
            months.period_month = capacity.period_month
            and coalesce(months.team_code, capacity.team_code) = capacity.team_code
    where months.metric_code = 'mean_employee_count'
    group by
        months.assumption_code, months.period_month, {{ day_count('months.period_month', 'months.next_month') }}
),

figured as (
    select
        months.*,
        case months.metric_code
            when 'median_wait_seconds' then coalesce(waited.wait_count, 0)
            when 'mean_employee_count' then coalesce(staffed.employee_days, 0)
            else coalesce(counted.ticket_count, 0)
        end as sample_count,
        case months.metric_code
            when 'ticket_count' then {{ float_of('coalesce(counted.ticket_count, 0)') }}
            when 'first_priority_share'
                then {{ float_ratio('counted.first_priority_count', 'counted.ticket_count') }}
            when 'median_wait_seconds' then waited.median_wait_seconds
            when 'mean_employee_count' then {{ float_ratio('staffed.employee_days', 'staffed.period_days') }}
        end as observed
    from months
    left join counted
        on months.assumption_code = counted.assumption_code and months.period_month = counted.period_month
    left join waited
        on months.assumption_code = waited.assumption_code and months.period_month = waited.period_month
    left join staffed
        on months.assumption_code = staffed.assumption_code and months.period_month = staffed.period_month
),

judged as (
    select
        *,
        case
            when observed is null or sample_count < minimum_sample_count then 'insufficient_data'
            when comparison = 'at_most' and observed > assumed_value then 'breached'
            when comparison = 'at_least' and observed < assumed_value then 'breached'
            else 'holds'
        end as assumption_verdict
    from figured
),

-- a month without enough data neither breaks nor lengthens a run of breaches
runs as (
    select
        *,
        sum(case when assumption_verdict = 'holds' then 1 else 0 end) over (
            partition by assumption_code order by period_month
        ) as run_number
    from judged
),

final as (
    select
        cast(assumption_code as varchar) as assumption_code,
        cast(period_month as date) as period_month,
        cast(slt_code as varchar) as slt_code,
        cast(service_code as varchar) as service_code,
        cast(team_code as varchar) as team_code,
        cast(vendor_code as varchar) as vendor_code,
        cast(metric_code as varchar) as metric_code,
        cast(
            case metric_code
                when 'ticket_count' then 'tickets'
                when 'first_priority_share' then 'share'
                when 'median_wait_seconds' then 'seconds'
                when 'mean_employee_count' then 'people'
            end as varchar
        ) as unit_code,
        cast(sample_count as bigint) as sample_count,
        {{ decimal_of('observed') }} as observed_value,
        cast(comparison as varchar) as comparison,
        cast(assumed_value as decimal(18, 6)) as assumed_value,
        {{ decimal_of(float_ratio('observed - assumed_value', 'assumed_value')) }} as deviation_share,
        cast(assumption_verdict as varchar) as assumption_verdict,
        cast(
            case
                when assumption_verdict = 'breached'
                    then sum(case when assumption_verdict = 'breached' then 1 else 0 end) over (
                            partition by assumption_code, run_number order by period_month
                        )
                else 0
            end as bigint
        ) as consecutive_breach_count,
        cast(case when assumption_verdict = 'breached' then consequence end as varchar) as consequence,
        cast(owner_role as varchar) as owner_role
    from runs
)

select * from final
