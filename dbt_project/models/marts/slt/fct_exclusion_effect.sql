with overlapping as (
    select * from {{ ref('int_slt_exclusion_overlap') }}
    where is_applied
),

ticket_slts as (
    select * from {{ ref('fct_ticket_slt') }}
),

requests as (
    select * from {{ ref('int_exclusion_request') }}
),

request_texts as (
    select * from {{ ref('exclusion_request') }}
),

documents as (
    select * from {{ ref('exclusion_document') }}
),

papers as (
    select
        exclusion_id,
        {{ string_list("document_type || ' ' || reference", "document_type, reference") }} as document_references
    from documents
    where received_at is not null
    group by exclusion_id
),

moved as (
    select
        overlapping.exclusion_id,
        overlapping.audience,
        requests.category,
        requests.controllability,
        request_texts.root_cause,
        papers.document_references,
        overlapping.ticket_slt_key,
        ticket_slts.ticket_key,
        ticket_slts.slt_code,
        ticket_slts.service_code,
        ticket_slts.team_code,
        overlapping.covered_seconds,
        overlapping.removed_seconds,
        overlapping.sole_seconds,
        ticket_slts.net_seconds,
        ticket_slts.business_seconds,
        ticket_slts.target_seconds,
        ticket_slts.slt_status,
        ticket_slts.is_breached_raw,
        ticket_slts.is_breached_adjusted,
        ticket_slts.net_seconds + overlapping.sole_seconds > ticket_slts.target_seconds
            as is_breached_without,
        ticket_slts.batch_id
    from overlapping
    inner join ticket_slts on overlapping.ticket_slt_key = ticket_slts.ticket_slt_key
    inner join requests
        on overlapping.exclusion_id = requests.exclusion_id and overlapping.audience = requests.audience
    left join request_texts on overlapping.exclusion_id = request_texts.exclusion_id
    left join papers on overlapping.exclusion_id = papers.exclusion_id
    where overlapping.covered_seconds > 0
),

final as (
    select
        cast(exclusion_id as varchar) as exclusion_id,
        cast(category as varchar) as category,
        cast(audience as varchar) as audience,
        cast(controllability as varchar) as controllability,
        cast(root_cause as varchar) as root_cause,
        cast(document_references as varchar) as document_references,
        cast(ticket_slt_key as varchar) as ticket_slt_key,
        cast(ticket_key as varchar) as ticket_key,
        cast(slt_code as varchar) as slt_code,
        cast(service_code as varchar) as service_code,
        cast(team_code as varchar) as team_code,
        cast(covered_seconds as bigint) as covered_seconds,
        cast(removed_seconds as bigint) as removed_seconds,
        cast(sole_seconds as bigint) as sole_seconds,
        cast(business_seconds as bigint) as business_seconds,
        cast(net_seconds as bigint) as net_seconds,
        cast(target_seconds as bigint) as target_seconds,
        cast(slt_status as varchar) as slt_status,
        cast(is_breached_raw as boolean) as is_breached_raw,
        cast(is_breached_adjusted as boolean) as is_breached_adjusted,
        cast(is_breached_without as boolean) as is_breached_without,
        cast(is_breached_without and not is_breached_adjusted as boolean) as is_breach_removed,
        cast(batch_id as varchar) as batch_id
    from moved
)

select * from final
