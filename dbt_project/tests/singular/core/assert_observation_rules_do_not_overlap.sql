-- Two rules in force on one day would count a record twice or leave open which of them holds; points no class holds
-- would leave a ticket without one.
{{ config(meta={'dagster': {'ref': {'name': 'complexity_rule'}}}) }}
with ranges as (
    select
        'order_type' as seed_name,
        source_system || '/' || request_type as subject_code,
        effective_from,
        effective_to
    from {{ ref('order_type') }}
    union all
    select
        'satisfaction_rule' as seed_name,
        survey_code || '/' || question_code as subject_code,
        effective_from,
        effective_to
    from {{ ref('satisfaction_rule') }}
    union all
    select
        'page_view_limit' as seed_name,
        service_code as subject_code,
        effective_from,
        effective_to
    from {{ ref('page_view_limit') }}
    union all
    select
        'article_rule' as seed_name,
        'all' as subject_code,
        effective_from,
        effective_to
    from {{ ref('article_rule') }}
    union all
    select
        'service_exposure' as seed_name,
        service_code as subject_code,
        effective_from,
        effective_to
    from {{ ref('service_exposure') }}
    union all
    select
        'complexity_rule' as seed_name,
        coalesce(source_system, 'all') || '/' || attribute_code || '/' || coalesce(attribute_value, '')
        || coalesce(cast(from_number as varchar), '') as subject_code,
        effective_from,
        effective_to
    from {{ ref('complexity_rule') }}
),

followed as (
    select
        *,
        lead(effective_from) over (partition by seed_name, subject_code order by effective_from) as next_from
    from ranges
),

classes as (
    select
        complexity_code,
        from_points_value,
        to_points_value,
        lead(from_points_value) over (order by from_points_value) as next_points_value
    from {{ ref('complexity_class') }}
)

select
    seed_name,
    subject_code
from followed
where effective_to < effective_from or next_from <= coalesce(effective_to, date '9999-12-31')
union all
select
    'complexity_class' as seed_name,
    complexity_code as subject_code
from classes
where to_points_value + 1 is distinct from next_points_value
