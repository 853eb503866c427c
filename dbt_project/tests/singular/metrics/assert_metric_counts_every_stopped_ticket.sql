-- From the first period a metric is in force for, each finished ticket result of a team stands in exactly one month and
-- one quarter of it: a join on periods or versions that loses or doubles tickets shows here, against fct_ticket_slt
-- itself. Metrics without a freeze that count tickets of one SLT and filter by nothing else.
{{ config(meta={'dagster': {'ref': {'name': 'fct_metric_result'}}}) }}
with metric_grain as (
    select
        metric_definition.metric_code,
        metric_filter.dimension_values as slt_code,
        reporting_period.period_grain,
        min(reporting_period.period_start_on) as first_start_on
    from {{ ref('metric_definition') }} as metric_definition
    inner join {{ ref('metric_filter') }} as metric_filter
        on
            metric_definition.metric_code = metric_filter.metric_code
            and metric_definition.metric_version = metric_filter.metric_version
            and metric_filter.dimension_code = 'slt_code'
            and not metric_filter.is_excluded
    inner join {{ ref('int_reporting_period') }} as reporting_period
        on metric_definition.effective_from <= reporting_period.period_start_on
    where
        metric_definition.observation_kind = 'ticket_slt'
        and metric_definition.denominator_measure = 'ticket_count'
        and metric_definition.metric_code not in (
            select metric_freeze.metric_code from {{ ref('int_metric_freeze') }} as metric_freeze
            where metric_freeze.is_effective
        )
        and metric_definition.metric_code in (
            select metric_entity_type.metric_code from {{ ref('metric_entity_type') }} as metric_entity_type
            where metric_entity_type.entity_type = 'team'
        )
    group by metric_definition.metric_code, metric_filter.dimension_values, reporting_period.period_grain
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
    where entity_type = 'team'
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
