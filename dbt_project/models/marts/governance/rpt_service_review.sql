{%- set topics = [
    'attainment', 'availability', 'error_budget', 'breaches', 'exclusions', 'improvement_actions', 'disputes'
] -%}
-- The standard agenda of each service's quarterly review: every topic stands on it, with the figures of the quarter.
with reviews as (
    select * from {{ ref('int_review') }}
    where review_type = 'service'
),

services as (
    select * from {{ ref('service') }}
),

attainments as (
    select * from {{ ref('fct_slt_attainment') }}
    where scope_type = 'service'
),

availabilities as (
    select * from {{ ref('fct_availability') }}
),

budgets as (
    select * from {{ ref('fct_error_budget') }}
    where window_kind = 'calendar' and is_complete
),

breaches as (
    select * from {{ ref('fct_slt_breach') }}
),

effects as (
    select * from {{ ref('fct_exclusion_effect') }}
),

ticket_results as (
    select * from {{ ref('fct_ticket_slt') }}
),

triggers as (
    select * from {{ ref('fct_improvement_trigger') }}
    where scope_type = 'service'
),

disputes as (
    select * from {{ ref('rpt_dispute') }}
),

topic as (
    {% for topic in topics -%}
    select
        {{ loop.index }} as topic_number,
        '{{ topic }}' as topic_code
    {%- if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

-- each fact of a service with its day, whether it asks for attention, and what it counts for and against
fact as (
    select
        'attainment' as topic_code,
        scope_code as service_code,
        period_month as fact_on,
        cast(result_count as bigint) as fact_count,
        cast(case when attainment_status = 'missed' then 1 else 0 end as bigint) as attention_count,
        cast(met_count as bigint) as raw_good_count,
        cast(met_count as bigint) as good_count,
        cast(result_count as bigint) as raw_total_count,
        cast(result_count as bigint) as total_count
    from attainments

    union all

    select
        'availability' as topic_code,
        service_code,
        period_month as fact_on,
        1 as fact_count,
        0 as attention_count,
        up_seconds as raw_good_count,
        adjusted_up_seconds as good_count,
        up_seconds + down_seconds as raw_total_count,
        adjusted_up_seconds + adjusted_down_seconds as total_count
    from availabilities

    union all

    select
        'error_budget' as topic_code,
        service_code,
        window_start_on as fact_on,
        1 as fact_count,
        case when budget_status = 'exhausted' then 1 else 0 end as attention_count,
        case when budget_status = 'within_budget' then 1 else 0 end as raw_good_count,
        case when budget_status = 'within_budget' then 1 else 0 end as good_count,
        case when budget_status in ('within_budget', 'exhausted') then 1 else 0 end as raw_total_count,
        case when budget_status in ('within_budget', 'exhausted') then 1 else 0 end as total_count
    from budgets

    union all

    select
        'breaches' as topic_code,
        service_code,
        cast(target_reached_at as date) as fact_on,
        1 as fact_count,
        case when is_breached_adjusted and not is_forgiven then 1 else 0 end as attention_count,
        0 as raw_good_count,
        0 as good_count,
        0 as raw_total_count,
        0 as total_count
    from breaches

    union all

    select
        'exclusions' as topic_code,
        effects.service_code,
        cast(ticket_results.start_at as date) as fact_on,
        1 as fact_count,
        case when effects.is_breach_removed then 1 else 0 end as attention_count,
        0 as raw_good_count,
        0 as good_count,
        0 as raw_total_count,
        0 as total_count
    from effects
    inner join ticket_results on effects.ticket_slt_key = ticket_results.ticket_slt_key

    union all

    select
        'improvement_actions' as topic_code,
        scope_code as service_code,
        opened_on as fact_on,
        1 as fact_count,
        case when is_action_needed then 1 else 0 end as attention_count,
        0 as raw_good_count,
        0 as good_count,
        0 as raw_total_count,
        0 as total_count
    from triggers

    union all

    select
        'disputes' as topic_code,
        services.service_code,
        disputes.period_start_on as fact_on,
        1 as fact_count,
        case when disputes.dispute_status in ('open', 'acknowledged', 'overdue') then 1 else 0 end as attention_count,
        0 as raw_good_count,
        0 as good_count,
        0 as raw_total_count,
        0 as total_count
    from disputes
    inner join services
        on
            (disputes.entity_type = 'service' and disputes.entity_code = services.service_code)
            or (disputes.entity_type = 'team' and disputes.entity_code = services.owner_team_code)
),

summed as (
    select
        reviews.subject_code,
        reviews.period_start_on,
        fact.topic_code,
        sum(fact.fact_count) as fact_count,
        sum(fact.attention_count) as attention_count,
        sum(fact.raw_good_count) as raw_good_count,
        sum(fact.good_count) as good_count,
        sum(fact.raw_total_count) as raw_total_count,
        sum(fact.total_count) as total_count
    from reviews
    inner join fact
        on
            reviews.subject_code = fact.service_code
            and reviews.period_start_on <= fact.fact_on
            and reviews.period_end_on > fact.fact_on
    group by reviews.subject_code, reviews.period_start_on, fact.topic_code
),

final as (
    select
        cast(reviews.subject_code as varchar) as service_code,
        cast(reviews.period_code as varchar) as quarter_code,
        cast(reviews.period_start_on as date) as period_start_on,
        cast(topic.topic_number as integer) as topic_number,
        cast(topic.topic_code as varchar) as topic_code,
        cast(coalesce(summed.fact_count, 0) as bigint) as fact_count,
        cast(coalesce(summed.attention_count, 0) as bigint) as attention_count,
        cast(
            {{ round_half_up_ratio('coalesce(summed.raw_good_count, 0)', 'summed.raw_total_count', 6) }}
            as decimal(18, 6)
        ) as raw_good_share,
        cast(
            {{ round_half_up_ratio('coalesce(summed.good_count, 0)', 'summed.total_count', 6) }}
            as decimal(18, 6)
        ) as adjusted_good_share,
        cast(coalesce(summed.attention_count, 0) > 0 as boolean) as is_attention_needed,
        cast(reviews.due_on as date) as due_on,
        cast(reviews.held_on as date) as held_on,
        cast(reviews.review_status as varchar) as review_status
    from reviews
    cross join topic
    left join summed
        on
            reviews.subject_code = summed.subject_code
            and reviews.period_start_on = summed.period_start_on
            and topic.topic_code = summed.topic_code
)

select * from final
