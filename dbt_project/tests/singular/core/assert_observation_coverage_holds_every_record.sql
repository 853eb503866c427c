-- A ticket, change, answer, view or article that is neither an observation nor has a reason why not.
{{ config(meta={
    'requirements': ['DESK-1.3', 'OPS-1.3', 'LTI-1.4', 'SVC-1.4'],
    'dagster': {'ref': {'name': 'int_observation_coverage'}}
}) }}
with recorded as (
    select
        'ticket' as observation_kind,
        count(*) as record_count
    from {{ ref('int_ticket') }}
    union all
    select
        'ticket_intake' as observation_kind,
        count(*) as record_count
    from {{ ref('int_ticket') }}
    union all
    select
        'service_month' as observation_kind,
        count(*) as record_count
    from {{ ref('int_ticket') }}
    union all
    select
        'change' as observation_kind,
        count(*) as record_count
    from {{ ref('int_change_request') }}
    union all
    select
        'survey' as observation_kind,
        (select count(*) from {{ ref('stg_survey__responses') }})
        + (select count(*) from {{ ref('stg_servicenow__survey_answers') }}) as record_count
    union all
    select
        'page_view' as observation_kind,
        count(*) as record_count
    from {{ ref('stg_datadog__rum_events') }}
    union all
    select
        'article' as observation_kind,
        count(*) as record_count
    from {{ ref('stg_servicenow__articles') }}
),

covered as (
    select
        observation_kind,
        sum(record_count) as record_count
    from {{ ref('int_observation_coverage') }}
    group by observation_kind
)

select
    recorded.observation_kind,
    recorded.record_count,
    covered.record_count as covered_count
from recorded
left join covered on recorded.observation_kind = covered.observation_kind
where recorded.record_count <> coalesce(covered.record_count, 0)
