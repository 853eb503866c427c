{%- set topics = ['disputes', 'reported_against_measured', 'service_credits', 'exclusions'] -%}
-- The joint agenda of each vendor's quarterly review: what is disputed, where its report and our figures part, what
-- it owes, and what was excluded on its account.
with reviews as (
    select * from {{ ref('int_review') }}
    where review_type = 'vendor'
),

disputes as (
    select * from {{ ref('rpt_dispute') }}
    where entity_type = 'vendor'
),

comparisons as (
    select * from {{ ref('rec_vendor_to_measured') }}
),

credits as (
    select * from {{ ref('fct_service_credit') }}
),

exclusions as (
    select * from {{ ref('rpt_exclusion_control') }}
    where scope_type = 'vendor'
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

fact as (
    select
        'disputes' as topic_code,
        entity_code as vendor_code,
        period_start_on as fact_on,
        dispute_id as subject_code,
        case when dispute_status in ('open', 'acknowledged', 'overdue', 'decided') then 1 else 0 end as attention_count,
        cast(null as varchar) as currency_code,
        cast(0 as decimal(18, 2)) as credit_amount
    from disputes

    union all

    select
        'reported_against_measured' as topic_code,
        vendor_code,
        period_month as fact_on,
        service_code || ' ' || measure || ' ' || status as subject_code,
        case when status <> 'matched' then 1 else 0 end as attention_count,
        cast(null as varchar) as currency_code,
        cast(0 as decimal(18, 2)) as credit_amount
    from comparisons

    union all

    select
        'service_credits' as topic_code,
        vendor_code,
        period_start_on as fact_on,
        supplier_contract_code as subject_code,
        case when credit_amount > 0 then 1 else 0 end as attention_count,
        currency_code,
        credit_amount
    from credits

    union all

    select
        'exclusions' as topic_code,
        scope_code as vendor_code,
        cast(starts_at as date) as fact_on,
        exclusion_id as subject_code,
        case when not is_effective then 1 else 0 end as attention_count,
        cast(null as varchar) as currency_code,
        cast(0 as decimal(18, 2)) as credit_amount
    from exclusions
),

-- a vendor paid in two currencies has a line of credits for each; no amount is added over them
summed as (
    select
        reviews.subject_code,
        reviews.period_start_on,
        fact.topic_code,
        fact.currency_code,
        count(*) as fact_count,
        sum(fact.attention_count) as attention_count,
        {{ string_list("case when fact.attention_count = 1 then fact.subject_code end", 'fact.subject_code') }}
            as attention_subjects,
        sum(fact.credit_amount) as credit_amount
    from reviews
    inner join fact
        on
            reviews.subject_code = fact.vendor_code
            and reviews.period_start_on <= fact.fact_on
            and reviews.period_end_on > fact.fact_on
    group by reviews.subject_code, reviews.period_start_on, fact.topic_code, fact.currency_code
),

final as (
    select
        cast(reviews.subject_code as varchar) as vendor_code,
        cast(reviews.period_code as varchar) as quarter_code,
        cast(reviews.period_start_on as date) as period_start_on,
        cast(topic.topic_number as integer) as topic_number,
        cast(topic.topic_code as varchar) as topic_code,
        cast(coalesce(summed.fact_count, 0) as bigint) as fact_count,
        cast(coalesce(summed.attention_count, 0) as bigint) as attention_count,
        cast(summed.attention_subjects as varchar) as attention_subjects,
        cast(
            case when topic.topic_code = 'service_credits' then coalesce(summed.credit_amount, 0) end as decimal(18, 2)
        ) as credit_amount,
        cast(summed.currency_code as varchar) as currency_code,
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
