-- What became an observation and what did not, with the reason: nothing may be lost between the sources and a metric.
with courses as (
    select * from {{ ref('int_ticket_course') }}
),

changes as (
    select * from {{ ref('int_change_outcome') }}
),

answers as (
    select * from {{ ref('int_survey_answer') }}
),

views as (
    select * from {{ ref('stg_datadog__rum_events') }}
),

articles as (
    select * from {{ ref('stg_servicenow__articles') }}
),

months as (
    select * from {{ ref('int_reporting_period') }}
    where period_grain = 'month' and is_complete
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

service_month_records as (
    select
        case
            when courses.observation_status in ('canceled', 'history_contradiction') then courses.observation_status
            when courses.source_system = 'jira' then 'not_an_incident'
            when courses.service_code is null then 'no_service'
            when months.period_start_on is null then 'outside_whole_months'
            else 'observed'
        end as observation_status
    from courses
    left join months
        on
            courses.opened_at >= cast(months.period_start_on as timestamp)
            and courses.opened_at < cast(months.period_end_on as timestamp)
),

view_records as (
    select
        case
            when views.viewed_at <= run_context.as_of_at then 'observed'
            else 'after_as_of'
        end as observation_status
    from views
    cross join run_context
),

article_records as (
    select
        case
            when articles.published_on is null then 'not_published'
            when cast(articles.published_on as timestamp) > run_context.as_of_at then 'after_as_of'
            else 'observed'
        end as observation_status
    from articles
    cross join run_context
),

final as (
    {% set kinds = {
        'ticket': 'courses',
        'ticket_intake': 'courses',
        'change': 'changes',
        'survey': 'answers',
        'service_month': 'service_month_records',
        'page_view': 'view_records',
        'article': 'article_records'
    } -%}
    {% for kind, relation in kinds.items() -%}
    select
        '{{ kind }}' as observation_kind,
        observation_status,
        count(*) as record_count
    from {{ relation }}
    group by observation_status
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from final
