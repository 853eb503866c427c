{%- set fewest_observations = 5 %}
-- Metric results of teams, services, business units and vendors, without those of persons, and without the figures of
-- results that rest on so few tickets or answers, or on the work of so few people, that one person's stands out.
-- Monitors, page views and months of a service are nobody's.
with metric_result as (
    select * from {{ ref('fct_metric_result') }}
    where entity_type <> 'person'
),

metric_definition as (
    select * from {{ ref('metric_definition') }}
),

service as (
    select * from {{ ref('service') }}
),

team as (
    select * from {{ ref('team') }}
),

employee_assignment as (
    select * from {{ ref('int_employee_assignment') }}
),

reporting_period as (
    select * from {{ ref('int_reporting_period') }}
),

team_month as (
    select
        team.team_code,
        reporting_period.period_start_on as month_on,
        count(distinct employee_assignment.employee_number) as person_count
    from team
    cross join reporting_period
    left join employee_assignment
        on
            team.team_code = employee_assignment.team_code
            and employee_assignment.assigned_from_on < reporting_period.period_end_on
            and coalesce(employee_assignment.assigned_to_on, date '9999-12-31') > reporting_period.period_start_on
    where reporting_period.period_grain = 'month'
    group by team.team_code, reporting_period.period_start_on
),

-- a quarter is as small as the smallest of its months: shown, it would give the hidden month by subtraction
team_period as (
    select
        team_month.team_code,
        reporting_period.period_grain,
        reporting_period.period_start_on,
        min(team_month.person_count) as person_count
    from reporting_period
    inner join team_month
        on
            reporting_period.period_start_on <= team_month.month_on
            and reporting_period.period_end_on > team_month.month_on
    group by team_month.team_code, reporting_period.period_grain, reporting_period.period_start_on
),

-- whose work it is: a team's own, a service's owner's; business units and vendors are served by many teams
attributed as (
    select
        metric_result.*,
        metric_definition.observation_kind not in ('availability', 'page_view', 'service_month')
        and metric_result.entity_type in ('team', 'service') as is_of_persons,
        coalesce(team_period.person_count, 0) as person_count
    from metric_result
    left join metric_definition
        on
            metric_result.metric_code = metric_definition.metric_code
            and metric_result.metric_version = metric_definition.metric_version
    left join service
        on
            metric_result.entity_type = 'service'
            and metric_result.entity_code = service.service_code
    left join team_period
        on
            coalesce(service.owner_team_code, metric_result.entity_code) = team_period.team_code
            and metric_result.period_grain = team_period.period_grain
            and metric_result.period_start_on = team_period.period_start_on
),

judged as (
    select
        *,
        case
            when coalesce(is_of_persons, true) and person_count < {{ var('fewest_persons_shown') }} then 'few_persons'
            when
                not coalesce(
                    aggregation_kind in ('time_share', 'rate') or sample_count >= {{ fewest_observations }}, false
                )
                then 'few_observations'
        end as suppression_reason
    from attributed
),

weighed as (
    select
        *,
        suppression_reason is null as is_shown
    from judged
),

final as (
    select
        cast(metric_result_key as varchar) as metric_result_key,
        cast(metric_code as varchar) as metric_code,
        cast(metric_version as integer) as metric_version,
        cast(definition_hash as varchar) as definition_hash,
        cast(entity_type as varchar) as entity_type,
        cast(entity_code as varchar) as entity_code,
        cast(period_grain as varchar) as period_grain,
        cast(period_start_on as date) as period_start_on,
        cast(period_end_on as date) as period_end_on,
        cast(case when is_shown then numerator end as bigint) as numerator,
        cast(case when is_shown then denominator end as bigint) as denominator,
        cast(case when is_shown then metric_value end as decimal(18, 6)) as metric_value,
        cast(case when is_shown then sample_count end as bigint) as sample_count,
        cast(result_status as varchar) as result_status,
        cast(aggregation_kind as varchar) as aggregation_kind,
        cast(value_basis as varchar) as value_basis,
        cast(unit as varchar) as unit,
        cast(direction as varchar) as direction,
        cast(case when is_shown then raw_value end as decimal(18, 6)) as raw_value,
        cast(case when is_shown then standardised_value end as decimal(18, 6)) as standardised_value,
        cast(case when is_shown then expected_value end as decimal(18, 6)) as expected_value,
        cast(reference_value as decimal(18, 6)) as reference_value,
        cast(seasonal_factor as decimal(18, 6)) as seasonal_factor,
        cast(case when is_shown then seasonally_adjusted_value end as decimal(18, 6)) as seasonally_adjusted_value,
        cast(credibility_share as decimal(18, 6)) as credibility_share,
        cast(case when is_shown then shrunk_value end as decimal(18, 6)) as shrunk_value,
        cast(case when is_shown then confidence_lower_value end as decimal(18, 6)) as confidence_lower_value,
        cast(case when is_shown then confidence_upper_value end as decimal(18, 6)) as confidence_upper_value,
        cast(confidence_share as decimal(9, 6)) as confidence_share,
        cast(phase as varchar) as phase,
        cast(phase_share as decimal(18, 6)) as phase_share,
        cast(freeze_status as varchar) as freeze_status,
        cast(frozen_days as integer) as frozen_days,
        cast(freeze_id as varchar) as freeze_id,
        cast(carried_from_on as date) as carried_from_on,
        cast(is_in_force as boolean) as is_in_force,
        cast(not is_shown as boolean) as is_suppressed,
        cast(suppression_reason as varchar) as suppression_reason
    from weighed
)

select * from final
