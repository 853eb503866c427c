-- A result whose trace does not sum to its clock, lacks its record, its events or its target row, or names a batch
-- that never landed: the audit trail would end before the source.
{{ config(meta={'dagster': {'ref': {'name': 'fct_slt_trace'}}}) }}
with traced as (
    select
        ticket_slt_key,
        sum(traced_seconds) as traced_seconds,
        sum(segment_count) as segment_count,
        sum(removed_seconds) as removed_seconds,
        sum(case when evidence_type = 'ticket_record' then 1 else 0 end) as record_count,
        sum(event_count) as event_count,
        bool_and(evidence_type = 'exclusion_request' or content_sha256 is not null) as is_landed,
        bool_and(target_row_key is not null and definition_hash is not null) as is_defined
    from {{ ref('fct_slt_trace') }}
    group by ticket_slt_key
),

segments as (
    select
        ticket_slt_key,
        count(*) as segment_count
    from {{ ref('fct_slt_clock_segment') }}
    group by ticket_slt_key
),

results as (
    select * from {{ ref('fct_ticket_slt') }}
)

select
    results.ticket_slt_key,
    results.wall_seconds,
    traced.traced_seconds,
    traced.is_landed,
    traced.is_defined
from results
full join traced on results.ticket_slt_key = traced.ticket_slt_key
left join segments on results.ticket_slt_key = segments.ticket_slt_key
where
    results.ticket_slt_key is null
    or traced.traced_seconds is distinct from results.wall_seconds
    or traced.segment_count is distinct from coalesce(segments.segment_count, 0)
    or traced.removed_seconds is distinct from results.excluded_seconds
    or traced.record_count is distinct from 1
    or traced.event_count is null
    or traced.event_count = 0
    or not traced.is_landed
    or not traced.is_defined
