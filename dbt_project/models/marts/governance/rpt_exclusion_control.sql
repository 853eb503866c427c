with requests as (
    select * from {{ ref('exclusion_request') }}
),

judged as (
    select * from {{ ref('int_exclusion_request') }}
    where exclusion_source = 'exclusion_request'
),

documents as (
    select * from {{ ref('exclusion_document') }}
    where received_at is not null
),

effects as (
    select * from {{ ref('fct_exclusion_effect') }}
),

audience_effects as (
    select * from {{ ref('fct_exclusion_effect_audience') }}
),

papers as (
    select
        exclusion_id,
        {{ string_list("document_type || ' ' || reference", "document_type, reference") }} as document_references,
        {{ string_list("case when document_type = 'evidence' then reference end", 'reference') }}
            as evidence_reference
    from documents
    group by exclusion_id
),

by_request as (
    select
        exclusion_id,
        bool_or(is_effective) as is_effective,
        bool_or(is_effective and audience = 'customer') as is_effective_customer,
        bool_or(is_effective and audience = 'internal') as is_effective_internal,
        bool_or(is_effective and audience = 'personal') as is_effective_personal,
        bool_or(is_documented) as is_documented,
        min(starts_at) as starts_at,
        min(ends_at) as ends_at,
        max(occurrence_count) as occurrence_count,
        {% for audience in ['customer', 'internal', 'personal'] -%}
        max(case when audience = '{{ audience }}' then reasons end) as {{ audience }}_reasons,
        {% endfor -%}
        -- conditions of the request itself are the same for every audience; only policy can differ
        min(case when is_effective then null else reason end) as refusal_reason
    from judged
    group by exclusion_id
),

effect_totals as (
    select
        exclusion_id,
        count(*) as moved_result_count,
        sum(removed_seconds) as removed_seconds,
        sum(case when is_breach_removed then 1 else 0 end) as removed_breach_count
    from effects
    group by exclusion_id
),

-- what it would move if policy counted it: the price of leaving it in
documented_totals as (
    select
        exclusion_id,
        sum(documented_removed_seconds) as documented_removed_seconds
    from audience_effects
    group by exclusion_id
),

final as (
    select
        cast(requests.exclusion_id as varchar) as exclusion_id,
        cast(requests.category as varchar) as category,
        cast(requests.scope_type as varchar) as scope_type,
        cast(requests.scope_code as varchar) as scope_code,
        cast(requests.controllability as varchar) as controllability,
        cast(requests.time_zone as varchar) as time_zone,
        cast(by_request.starts_at as timestamp) as starts_at,
        cast(by_request.ends_at as timestamp) as ends_at,
        cast(requests.recurrence as varchar) as recurrence,
        cast(by_request.occurrence_count as bigint) as occurrence_count,
        cast(requests.root_cause as varchar) as root_cause,
        cast(papers.evidence_reference as varchar) as evidence_reference,
        cast(papers.document_references as varchar) as document_references,
        cast(requests.requested_by as varchar) as requested_by,
        cast(requests.requested_at as timestamp) as requested_at,
        cast(requests.approved_by as varchar) as approved_by,
        cast(requests.approved_at as timestamp) as approved_at,
        cast(requests.decision as varchar) as decision,
        cast(by_request.is_documented as boolean) as is_documented,
        cast(by_request.is_effective as boolean) as is_effective,
        cast(by_request.is_effective_customer as boolean) as is_effective_customer,
        cast(by_request.is_effective_internal as boolean) as is_effective_internal,
        cast(by_request.is_effective_personal as boolean) as is_effective_personal,
        cast(
            case when by_request.is_effective then 'effective' else by_request.refusal_reason end as varchar
        ) as reason,
        {% for audience in ['customer', 'internal', 'personal'] -%}
        cast(by_request.{{ audience }}_reasons as varchar) as {{ audience }}_reasons,
        {% endfor -%}
        cast(coalesce(effect_totals.moved_result_count, 0) as bigint) as moved_result_count,
        cast(coalesce(effect_totals.removed_seconds, 0) as bigint) as removed_seconds,
        cast(coalesce(effect_totals.removed_breach_count, 0) as bigint) as removed_breach_count,
        cast(coalesce(documented_totals.documented_removed_seconds, 0) as bigint) as documented_removed_seconds
    from requests
    inner join by_request on requests.exclusion_id = by_request.exclusion_id
    left join papers on requests.exclusion_id = papers.exclusion_id
    left join effect_totals on requests.exclusion_id = effect_totals.exclusion_id
    left join documented_totals on requests.exclusion_id = documented_totals.exclusion_id
)

select * from final
