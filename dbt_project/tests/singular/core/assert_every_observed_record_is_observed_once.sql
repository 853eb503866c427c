-- A record that counts but is in no observation would leave every metric unseen, one that is in two would count twice.
{{ config(meta={
    'requirements': ['DESK-1.3', 'OPS-1.3', 'LTI-1.4', 'LTI-2.2', 'SVC-1.4'],
    'dagster': {'ref': {'name': 'int_observation_coverage'}}
}) }}
with counted as (
    select
        'ticket' as observation_kind,
        sum(ticket_count) as record_count
    from {{ ref('int_observation_ticket') }}
    union all
    select
        'ticket_intake' as observation_kind,
        sum(intake_count) as record_count
    from {{ ref('int_observation_ticket_intake') }}
    union all
    select
        'change' as observation_kind,
        sum(change_count) as record_count
    from {{ ref('int_observation_change') }}
    union all
    select
        'survey' as observation_kind,
        sum(response_count) as record_count
    from {{ ref('int_observation_survey') }}
    union all
    select
        'service_month' as observation_kind,
        sum(incident_count) as record_count
    from {{ ref('int_observation_service_month') }}
    union all
    select
        'page_view' as observation_kind,
        sum(view_count) as record_count
    from {{ ref('int_observation_page_view') }}
    union all
    select
        'article' as observation_kind,
        sum(published_count) as record_count
    from {{ ref('int_observation_article') }}
),

owed as (
    select
        observation_kind,
        sum(case when observation_status = 'observed' then record_count else 0 end) as record_count
    from {{ ref('int_observation_coverage') }}
    group by observation_kind
)

select
    counted.observation_kind,
    counted.record_count,
    owed.record_count as owed_count
from counted
left join owed on counted.observation_kind = owed.observation_kind
where coalesce(counted.record_count, 0) <> coalesce(owed.record_count, 0)
