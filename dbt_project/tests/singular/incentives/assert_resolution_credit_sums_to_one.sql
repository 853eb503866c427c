-- Credit that does not sum to one pays a ticket twice, or leaves work unrewarded.
{{ config(meta={'requirements': ['OPS-6.2', 'LTI-2.6'], 'dagster': {'ref': {'name': 'fct_resolution_credit'}}}) }}
with resolved as (
    select int_ticket_course.ticket_key
    from {{ ref('int_ticket_course') }} as int_ticket_course
    inner join {{ ref('credit_rule') }} as credit_rule
        on
            cast(int_ticket_course.resolved_at as date) >= credit_rule.effective_from
            and cast(int_ticket_course.resolved_at as date)
            <= coalesce(credit_rule.effective_to, date '9999-12-31')
    where int_ticket_course.observation_status = 'observed'
),

credited as (
    select
        ticket_key,
        sum(credit_share) as credit_share,
        min(credit_share) as smallest_share,
        sum(case when is_resolver then 1 else 0 end) as resolver_count
    from {{ ref('fct_resolution_credit') }}
    group by ticket_key
)

select
    coalesce(resolved.ticket_key, credited.ticket_key) as ticket_key,
    credited.credit_share,
    credited.resolver_count
from resolved
full outer join credited on resolved.ticket_key = credited.ticket_key
where
    credited.credit_share is distinct from 1
    or credited.smallest_share < 0
    or credited.resolver_count <> 1
    or resolved.ticket_key is null
