-- Metric result x the ticket or the month of a monitor it was measured on, with what each put into numerator
-- and denominator: the contributions of a result sum to the result. A monitor's months stay apart because each
-- came in its own extract batch.
with fct_metric_result as (
    select * from {{ ref('fct_metric_result') }}
),

dim_metric_definition as (
    select * from {{ ref('dim_metric_definition') }}
),

metric_weight as (
    select * from {{ ref('metric_weight') }}
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

metric_result as (
    select
        fct_metric_result.metric_result_key,
        fct_metric_result.metric_code,
        fct_metric_result.metric_version,
        fct_metric_result.entity_code as team_code,
        fct_metric_result.period_grain,
        fct_metric_result.period_start_on,
        dim_metric_definition.measure_kind,
        dim_metric_definition.slt_code,
        dim_metric_definition.exclusion_policy,
        dim_metric_definition.weighting
    from fct_metric_result
    inner join dim_metric_definition
        on
            fct_metric_result.metric_code = dim_metric_definition.metric_code
            and fct_metric_result.metric_version = dim_metric_definition.metric_version
),

ticket as (
    select
        ticket_slt_key,
        ticket_key,
        slt_code,
        team_code,
        priority,
        stop_at,
        not is_breached_raw as is_raw_met,
        not is_breached_adjusted or is_forgiven as is_adjusted_met,
        batch_id
    from fct_ticket_slt
    where
        slt_status in ('met', 'within_tolerance', 'breached')
        and stop_at is not null
        and team_code is not null
),

-- both periods of a ticket as rows, so that the join below is on equal keys only
ticket_period as (
    select
        'month' as period_grain,
        {{ month_start('ticket.stop_at') }} as period_start_on,
        ticket.*
    from ticket

    union all

    select
        'quarter' as period_grain,
        {{ quarter_start('ticket.stop_at') }} as period_start_on,
        ticket.*
    from ticket
),

ticket_evidence as (
    select
        metric_result.metric_result_key,
        'ticket' as evidence_type,
        ticket_period.ticket_key as evidence_key,
        ticket_period.ticket_slt_key,
        ticket_period.batch_id,
        case metric_result.exclusion_policy
            when 'raw' then ticket_period.is_raw_met
            else ticket_period.is_adjusted_met
        end as is_in_numerator,
        case metric_result.weighting
            when 'priority' then coalesce(metric_weight.weight, 0)
            else 1
        end as evidence_weight
    from metric_result
    inner join ticket_period
        on
            metric_result.slt_code = ticket_period.slt_code
            and metric_result.team_code = ticket_period.team_code
            and metric_result.period_grain = ticket_period.period_grain
            and metric_result.period_start_on = ticket_period.period_start_on
    left join metric_weight
        on
            metric_result.metric_code = metric_weight.metric_code
            and metric_result.metric_version = metric_weight.metric_version
            and ticket_period.priority = metric_weight.priority
    where metric_result.measure_kind in ('share_of_tickets', 'weighted_share_of_tickets')
),

monitor_evidence as (
    select
        metric_result.metric_result_key,
        'monitor' as evidence_type,
        fct_availability.monitor_id || ':' || {{ month_code('fct_availability.period_month') }} as evidence_key,
        fct_availability.monitor_id,
        fct_availability.period_month,
        fct_availability.batch_id,
        case metric_result.exclusion_policy
            when 'raw' then fct_availability.up_seconds
            else fct_availability.adjusted_up_seconds
        end as numerator_weight,
        case metric_result.exclusion_policy
            when 'raw' then fct_availability.up_seconds + fct_availability.down_seconds
            else fct_availability.adjusted_up_seconds + fct_availability.adjusted_down_seconds
        end as evidence_weight
    from metric_result
    inner join service on metric_result.team_code = service.owner_team_code
    inner join fct_availability
        on
            service.service_code = fct_availability.service_code
            and metric_result.period_start_on = case metric_result.period_grain
                when 'month' then fct_availability.period_month
                else {{ quarter_start('fct_availability.period_month') }}
            end
    where metric_result.measure_kind = 'time_share'
),

final as (
    select
        cast(metric_result_key as varchar) as metric_result_key,
        cast(evidence_type as varchar) as evidence_type,
        cast(evidence_key as varchar) as evidence_key,
        cast(ticket_slt_key as varchar) as ticket_slt_key,
        cast(null as varchar) as monitor_id,
        cast(null as date) as period_month,
        cast(is_in_numerator as boolean) as is_in_numerator,
        cast(case when is_in_numerator then evidence_weight else 0 end as bigint) as numerator_weight,
        cast(evidence_weight as bigint) as evidence_weight,
        cast(batch_id as varchar) as batch_id
    from ticket_evidence

    union all

    select
        cast(metric_result_key as varchar) as metric_result_key,
        cast(evidence_type as varchar) as evidence_type,
        cast(evidence_key as varchar) as evidence_key,
        cast(null as varchar) as ticket_slt_key,
        cast(monitor_id as varchar) as monitor_id,
        cast(period_month as date) as period_month,
        cast(numerator_weight > 0 as boolean) as is_in_numerator,
        cast(numerator_weight as bigint) as numerator_weight,
        cast(evidence_weight as bigint) as evidence_weight,
        cast(batch_id as varchar) as batch_id
    from monitor_evidence
)

select * from final
