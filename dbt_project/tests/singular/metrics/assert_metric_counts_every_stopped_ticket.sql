-- From the first period a metric is in force for, each finished ticket result of a team stands in exactly
-- one month and one quarter of it: a join on periods or versions that loses or doubles tickets shows here,
-- against fct_ticket_slt itself.
{{ config(meta={'dagster': {'ref': {'name': 'fct_metric_result'}}}) }}
with metric_grain as (
    select
        dim_metric_definition.metric_code,
        dim_metric_definition.slt_code,
        reporting_period.period_grain,
        min(reporting_period.period_start_on) as first_start_on
    from {{ ref('dim_metric_definition') }} as dim_metric_definition
    inner join {{ ref('int_reporting_period') }} as reporting_period
        on dim_metric_definition.effective_from <= reporting_period.period_start_on
    where dim_metric_definition.measure_kind in ('share_of_tickets', 'weighted_share_of_tickets')
    group by dim_metric_definition.metric_code, dim_metric_definition.slt_code, reporting_period.period_grain
),

expected as (
    select
        metric_grain.metric_code,
        metric_grain.period_grain,
        team.team_code,
        count(*) as ticket_count
    from metric_grain
    inner join {{ ref('fct_ticket_slt') }} as fct_ticket_slt
        on
            metric_grain.slt_code = fct_ticket_slt.slt_code
            and fct_ticket_slt.stop_at >= cast(metric_grain.first_start_on as timestamp)
    inner join {{ ref('team') }} as team on fct_ticket_slt.team_code = team.team_code
    where fct_ticket_slt.slt_status in ('met', 'within_tolerance', 'breached')
    group by metric_grain.metric_code, metric_grain.period_grain, team.team_code
),

counted as (
    select
        metric_code,
        period_grain,
        entity_code as team_code,
        sum(sample_count) as ticket_count
    from {{ ref('fct_metric_result') }}
    group by metric_code, period_grain, entity_code
),

failure as (
    select
        expected.metric_code,
        expected.period_grain,
        expected.team_code,
        expected.ticket_count,
        counted.ticket_count as counted_ticket_count
    from expected
    left join counted
        on
            expected.metric_code = counted.metric_code
            and expected.period_grain = counted.period_grain
            and expected.team_code = counted.team_code
    where expected.ticket_count <> coalesce(counted.ticket_count, 0)
)

select * from failure
