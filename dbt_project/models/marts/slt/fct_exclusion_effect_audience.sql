{%- set views = ['customer', 'internal', 'personal', 'documented'] -%}
with overlapping as (
    select * from {{ ref('int_slt_exclusion_overlap') }}
),

ticket_slts as (
    select * from {{ ref('fct_ticket_slt') }}
),

requests as (
    select * from {{ ref('int_exclusion_request') }}
),

described as (
    select
        exclusion_id,
        min(exclusion_source) as exclusion_source,
        min(category) as category,
        min(controllability) as controllability
    from requests
    group by exclusion_id
),

by_exclusion as (
    select
        ticket_slt_key,
        exclusion_id,
        {% for view in views -%}
        sum(case when audience = '{{ view }}' then removed_seconds else 0 end) as removed_seconds_{{ view }},
        {% endfor -%}
        bool_or(is_applied) as is_applied,
        bool_or(audience <> 'documented') as is_counted,
        max(covered_seconds) as covered_seconds
    from overlapping
    group by ticket_slt_key, exclusion_id
    having max(covered_seconds) > 0
),

-- what an audience sees of a result takes out all its exclusions together
with_totals as (
    select
        {% for view in views -%}
        sum(removed_seconds_{{ view }}) over (partition by ticket_slt_key) as all_removed_seconds_{{ view }},
        {% endfor -%}
        by_exclusion.*
    from by_exclusion
),

final as (
    select
        cast(with_totals.exclusion_id as varchar) as exclusion_id,
        cast(described.exclusion_source as varchar) as exclusion_source,
        cast(described.category as varchar) as category,
        cast(described.controllability as varchar) as controllability,
        cast(with_totals.ticket_slt_key as varchar) as ticket_slt_key,
        cast(ticket_slts.ticket_key as varchar) as ticket_key,
        cast(ticket_slts.slt_code as varchar) as slt_code,
        cast(ticket_slts.service_code as varchar) as service_code,
        cast(ticket_slts.team_code as varchar) as team_code,
        cast(
            case
                when with_totals.is_applied then 'applied'
                when with_totals.is_counted then 'other_audience'
                else 'not_counted'
            end as varchar
        ) as effect_status,
        cast(ticket_slts.business_seconds as bigint) as business_seconds,
        cast(ticket_slts.target_seconds as bigint) as target_seconds,
        cast(with_totals.covered_seconds as bigint) as covered_seconds,
        cast(ticket_slts.is_breached_raw as boolean) as is_breached_raw,
        {% for view in views -%}
        cast(with_totals.removed_seconds_{{ view }} as bigint) as {{ view }}_removed_seconds,
        cast(ticket_slts.business_seconds - with_totals.all_removed_seconds_{{ view }} as bigint)
            as {{ view }}_net_seconds,
        cast(
            ticket_slts.business_seconds - with_totals.all_removed_seconds_{{ view }} > ticket_slts.target_seconds
            as boolean
        ) as is_breached_{{ view }},
        {% endfor -%}
        cast(ticket_slts.batch_id as varchar) as batch_id
    from with_totals
    inner join ticket_slts on with_totals.ticket_slt_key = ticket_slts.ticket_slt_key
    inner join described on with_totals.exclusion_id = described.exclusion_id
)

select * from final
