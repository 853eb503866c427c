-- Metric definition in force x team x month and quarter. fct_ticket_slt is read once, whatever the number of
-- definitions: it is grouped to (SLT, team, month, priority, verdict), and the definitions weigh the groups.
with dim_metric_definition as (
    select * from {{ ref('dim_metric_definition') }}
),

metric_weight as (
    select * from {{ ref('metric_weight') }}
),

reporting_period as (
    select * from {{ ref('int_reporting_period') }}
),

team as (
    select * from {{ ref('team') }}
),

service as (
    select * from {{ ref('service') }}
),

fct_ticket_slt as (
    select * from {{ ref('fct_ticket_slt') }}
),

fct_availability as (
    select * from {{ ref('fct_availability') }}
),

-- the version in force is the one whose effective dates hold the period's first day
in_force as (
    select
        dim_metric_definition.metric_code,
        dim_metric_definition.metric_version,
        dim_metric_definition.definition_hash,
        dim_metric_definition.measure_kind,
        dim_metric_definition.entity_type,
        dim_metric_definition.slt_code,
        dim_metric_definition.exclusion_policy,
        dim_metric_definition.weighting,
        dim_metric_definition.min_sample_count,
        reporting_period.period_grain,
        reporting_period.period_start_on,
        reporting_period.period_end_on,
        reporting_period.is_complete,
        team.team_code
    from dim_metric_definition
    inner join reporting_period
        on
            dim_metric_definition.effective_from <= reporting_period.period_start_on
            and (
                dim_metric_definition.effective_to is null
                or dim_metric_definition.effective_to >= reporting_period.period_start_on
            )
    inner join team on dim_metric_definition.entity_type = 'team'
),

ticket_group as (
    select
        slt_code,
        team_code,
        {{ month_start('stop_at') }} as month_on,
        priority,
        count(*) as ticket_count,
        count(*) filter (where not is_breached_raw) as raw_met_count,
        count(*) filter (where not is_breached_adjusted or is_forgiven) as adjusted_met_count
    from fct_ticket_slt
    where
        slt_status in ('met', 'within_tolerance', 'breached')
        and stop_at is not null
        and team_code is not null
    group by slt_code, team_code, {{ month_start('stop_at') }}, priority
),

-- a ticket's month lies in one month period and one quarter period
ticket_period as (
    select
        'month' as period_grain,
        ticket_group.month_on as period_start_on,
        ticket_group.*
    from ticket_group

    union all

    select
        'quarter' as period_grain,
        {{ quarter_start('ticket_group.month_on') }} as period_start_on,
        ticket_group.*
    from ticket_group
),

ticket_sum as (
    select
        in_force.metric_code,
        in_force.metric_version,
        in_force.team_code,
        in_force.period_grain,
        in_force.period_start_on,
        sum(
            case in_force.exclusion_policy
                when 'raw' then ticket_period.raw_met_count
                else ticket_period.adjusted_met_count
            end
            * case in_force.weighting when 'priority' then coalesce(metric_weight.weight, 0) else 1 end
        ) as numerator,
        sum(
            ticket_period.ticket_count
            * case in_force.weighting when 'priority' then coalesce(metric_weight.weight, 0) else 1 end
        ) as denominator,
        sum(ticket_period.ticket_count) as sample_count
    from in_force
    inner join ticket_period
        on
            in_force.slt_code = ticket_period.slt_code
            and in_force.team_code = ticket_period.team_code
            and in_force.period_grain = ticket_period.period_grain
            and in_force.period_start_on = ticket_period.period_start_on
    left join metric_weight
        on
            in_force.metric_code = metric_weight.metric_code
            and in_force.metric_version = metric_weight.metric_version
            and ticket_period.priority = metric_weight.priority
    where in_force.measure_kind in ('share_of_tickets', 'weighted_share_of_tickets')
    group by
        in_force.metric_code,
        in_force.metric_version,
        in_force.team_code,
        in_force.period_grain,
        in_force.period_start_on
),

monitor_month as (
    select
        service.owner_team_code as team_code,
        fct_availability.monitor_id,
        fct_availability.period_month as month_on,
        fct_availability.up_seconds,
        fct_availability.down_seconds,
        fct_availability.adjusted_up_seconds,
        fct_availability.adjusted_down_seconds
    from fct_availability
    inner join service on fct_availability.service_code = service.service_code
),

monitor_period as (
    select
        'month' as period_grain,
        monitor_month.month_on as period_start_on,
        monitor_month.*
    from monitor_month

    union all

    select
        'quarter' as period_grain,
        {{ quarter_start('monitor_month.month_on') }} as period_start_on,
        monitor_month.*
    from monitor_month
),

time_sum as (
    select
        in_force.metric_code,
        in_force.metric_version,
        in_force.team_code,
        in_force.period_grain,
        in_force.period_start_on,
        sum(
            case in_force.exclusion_policy
                when 'raw' then monitor_period.up_seconds
                else monitor_period.adjusted_up_seconds
            end
        ) as numerator,
        sum(
            case in_force.exclusion_policy
                when 'raw' then monitor_period.up_seconds + monitor_period.down_seconds
                else monitor_period.adjusted_up_seconds + monitor_period.adjusted_down_seconds
            end
        ) as denominator,
        count(distinct monitor_period.monitor_id) as sample_count
    from in_force
    inner join monitor_period
        on
            in_force.team_code = monitor_period.team_code
            and in_force.period_grain = monitor_period.period_grain
            and in_force.period_start_on = monitor_period.period_start_on
    where in_force.measure_kind = 'time_share'
    group by
        in_force.metric_code,
        in_force.metric_version,
        in_force.team_code,
        in_force.period_grain,
        in_force.period_start_on
),

measured as (
    select * from ticket_sum

    union all

    select * from time_sum
),

valued as (
    select
        in_force.*,
        coalesce(measured.numerator, 0) as numerator,
        coalesce(measured.denominator, 0) as denominator,
        coalesce(measured.sample_count, 0) as sample_count,
        coalesce(measured.sample_count, 0) < in_force.min_sample_count
        or coalesce(measured.denominator, 0) = 0 as is_insufficient
    from in_force
    left join measured
        on
            in_force.metric_code = measured.metric_code
            and in_force.metric_version = measured.metric_version
            and in_force.team_code = measured.team_code
            and in_force.period_grain = measured.period_grain
            and in_force.period_start_on = measured.period_start_on
),

final as (
    select
        cast({{ md5_of([
            'metric_code', 'metric_version', 'entity_type', 'team_code', 'period_grain', 'period_start_on'
        ]) }} as varchar) as metric_result_key,
        cast(metric_code as varchar) as metric_code,
        cast(metric_version as integer) as metric_version,
        cast(definition_hash as varchar) as definition_hash,
        cast(entity_type as varchar) as entity_type,
        cast(team_code as varchar) as entity_code,
        cast(period_grain as varchar) as period_grain,
        cast(period_start_on as date) as period_start_on,
        cast(period_end_on as date) as period_end_on,
        cast(numerator as bigint) as numerator,
        cast(denominator as bigint) as denominator,
        cast(
            case when not is_insufficient then {{ round_half_up_ratio('numerator', 'denominator', 6) }} end
            as decimal(18, 6)
        ) as metric_value,
        cast(sample_count as bigint) as sample_count,
        cast(
            case
                when not is_complete then 'provisional'
                when is_insufficient then 'insufficient_data'
                else 'ok'
            end as varchar
        ) as result_status
    from valued
)

select * from final
