-- Knowledge articles published, with the use readers made of them so far.
with articles as (
    select * from {{ ref('stg_servicenow__articles') }}
),

identities as (
    select * from {{ ref('int_agent_identity') }}
    where source_system = 'servicenow'
),

assignments as (
    select * from {{ ref('int_employee_assignment') }}
),

rules as (
    select * from {{ ref('article_rule') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

published as (
    select
        articles.*,
        cast(articles.published_on as timestamp) as published_at
    from articles
    cross join run_context
    where articles.published_on is not null and cast(articles.published_on as timestamp) <= run_context.as_of_at
),

written as (
    select
        published.*,
        identities.employee_number
    from published
    left join identities
        on
            published.author_id = identities.user_id
            and identities.is_attributed
            and published.published_at >= identities.valid_from_at
            and published.published_at < identities.valid_to_at
),

final as (
    select
        'article:servicenow:' || written.number as observation_key,
        written.published_at as observed_at,
        written.employee_number,
        assignments.team_code,
        cast(null as varchar) as service_code,
        cast(null as varchar) as business_unit_code,
        cast(null as varchar) as vendor_code,
        cast(null as varchar) as slt_code,
        cast(null as varchar) as priority,
        cast(null as varchar) as channel,
        cast(null as varchar) as category,
        cast(null as varchar) as risk_code,
        cast(null as varchar) as complexity_code,
        cast(null as varchar) as question_code,
        cast(1 as bigint) as published_count,
        cast(case when written.workflow_state = 'retired' then 1 else 0 end as bigint) as retired_count,
        cast(coalesce(written.view_count, 0) as bigint) as view_count,
        cast(coalesce(written.use_count, 0) as bigint) as use_count,
        cast(
            case
                when
                    written.workflow_state is distinct from 'retired'
                    and written.use_count >= rules.minimum_use_count
                    and coalesce(written.rating_points >= rules.minimum_rating_points, true)
                    then 1
                else 0
            end as bigint
        ) as useful_count,
        written.batch_id
    from written
    left join assignments
        on
            written.employee_number = assignments.employee_number
            and written.published_on >= assignments.assigned_from_on
            and written.published_on < coalesce(assignments.assigned_to_on, date '9999-12-31')
    left join rules
        on
            written.published_on >= rules.effective_from
            and written.published_on <= coalesce(rules.effective_to, date '9999-12-31')
)

select * from final
