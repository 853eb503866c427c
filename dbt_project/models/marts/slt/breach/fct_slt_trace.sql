with ticket_slts as (
    select * from {{ ref('fct_ticket_slt') }}
),

segments as (
    select * from {{ ref('fct_slt_clock_segment') }}
),

effects as (
    select * from {{ ref('fct_exclusion_effect') }}
),

events as (
    select * from {{ ref('int_ticket_event') }}
),

batches as (
    select * from {{ ref('int_extract_batch') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

definitions as (
    select * from {{ ref('slt_definition') }}
),

conditions as (
    select * from {{ ref('slt_condition') }}
),

targets as (
    select * from {{ ref('slt_target') }}
),

condition_texts as (
    select
        slt_code,
        slt_version,
        {{ string_list(
            "condition || '/' || clause || '/' || field || '/' || operator || '/' || value",
            'condition, clause, field, operator, value'
        ) }} as conditions
    from conditions
    group by slt_code, slt_version
),

-- a definition is all that decides its clock: change a word of it and the hash is another
definition_hashes as (
    select
        definitions.slt_code,
        definitions.slt_version,
        {{ md5_of([
            'definitions.slt_code', 'definitions.slt_version', 'definitions.source_system', 'definitions.phase',
            'definitions.reopen_policy', 'definitions.target_policy', 'definitions.calendar_policy',
            'definitions.resume_policy', 'definitions.is_attached_when_stopped', 'definitions.is_retroactive_start',
            'definitions.is_retroactive_pause', 'definitions.exclusion_audience', 'definitions.at_risk_share',
            'definitions.effective_from', 'definitions.effective_to', 'condition_texts.conditions'
        ]) }} as definition_hash
    from definitions
    left join condition_texts
        on definitions.slt_code = condition_texts.slt_code and definitions.slt_version = condition_texts.slt_version
),

-- the target row that gives the result its seconds, tolerance and calendar, the most specific of those that fit
target_keys as (
    select
        *,
        slt_code || '/' || slt_version || '/P' || priority || '/' || coalesce(contract_code, '')
        || '/' || coalesce(business_unit_code, '') || '/' || coalesce(service_code, '')
        || '/' || coalesce(starts_within_calendar_code, '') || '/' || effective_from as target_row_key,
        case when contract_code is null then 0 else 8 end
        + case when business_unit_code is null then 0 else 4 end
        + case when service_code is null then 0 else 2 end
        + case when starts_within_calendar_code is null then 0 else 1 end as specificity
    from targets
),

result_kinds as (
    select distinct
        slt_code,
        slt_version,
        priority,
        contract_code,
        business_unit_code,
        service_code,
        calendar_code,
        target_seconds,
        tolerance_seconds,
        cast(start_at as date) as start_on
    from ticket_slts
),

kind_targets as (
    select
        result_kinds.*,
        target_keys.target_row_key
    from result_kinds
    inner join target_keys
        on
            result_kinds.slt_code = target_keys.slt_code
            and result_kinds.slt_version = target_keys.slt_version
            and result_kinds.priority = target_keys.priority
            and result_kinds.target_seconds = target_keys.target_seconds
            and result_kinds.tolerance_seconds = target_keys.tolerance_seconds
            and (target_keys.calendar_code is null or result_kinds.calendar_code = target_keys.calendar_code)
            and (target_keys.contract_code is null or result_kinds.contract_code = target_keys.contract_code)
            and (
                target_keys.business_unit_code is null
                or result_kinds.business_unit_code = target_keys.business_unit_code
            )
            and (target_keys.service_code is null or result_kinds.service_code = target_keys.service_code)
            and result_kinds.start_on >= target_keys.effective_from
            and result_kinds.start_on <= coalesce(target_keys.effective_to, date '9999-12-31')
    qualify row_number() over (
            partition by
                result_kinds.slt_code, result_kinds.slt_version, result_kinds.priority, result_kinds.contract_code,
                result_kinds.business_unit_code, result_kinds.service_code, result_kinds.calendar_code,
                result_kinds.target_seconds, result_kinds.tolerance_seconds, result_kinds.start_on
            order by target_keys.specificity desc, target_keys.effective_from desc
        ) = 1
),

results as (
    select
        ticket_slts.ticket_slt_key,
        ticket_slts.ticket_key,
        ticket_slts.ticket_number,
        ticket_slts.slt_code,
        ticket_slts.slt_version,
        ticket_slts.batch_id,
        ticket_slts.end_at,
        kind_targets.target_row_key
    from ticket_slts
    left join kind_targets
        on
            ticket_slts.slt_code = kind_targets.slt_code
            and ticket_slts.slt_version = kind_targets.slt_version
            and ticket_slts.priority = kind_targets.priority
            and ticket_slts.contract_code is not distinct from kind_targets.contract_code
            and ticket_slts.business_unit_code is not distinct from kind_targets.business_unit_code
            and ticket_slts.service_code is not distinct from kind_targets.service_code
            and ticket_slts.calendar_code = kind_targets.calendar_code
            and ticket_slts.target_seconds = kind_targets.target_seconds
            and ticket_slts.tolerance_seconds = kind_targets.tolerance_seconds
            and cast(ticket_slts.start_at as date) = kind_targets.start_on
),

-- the events of the ticket up to the end of its clock
event_evidence as (
    select
        results.ticket_slt_key,
        events.batch_id,
        count(*) as event_count,
        sum(events.source_row_count) as raw_row_count,
        min(events.recorded_at) as first_recorded_at,
        max(events.recorded_at) as last_recorded_at
    from results
    inner join events
        on
            results.ticket_key = events.ticket_key
            and results.end_at >= events.event_at
    group by results.ticket_slt_key, events.batch_id
),

segment_evidence as (
    select
        ticket_slt_key,
        batch_id,
        count(*) as segment_count,
        sum(seconds) as traced_seconds
    from segments
    group by ticket_slt_key, batch_id
),

evidence as (
    select
        results.ticket_slt_key,
        'ticket_record' as evidence_type,
        results.batch_id as evidence_code,
        results.batch_id,
        0 as event_count,
        1 as raw_row_count,
        cast(null as timestamp) as first_recorded_at,
        cast(null as timestamp) as last_recorded_at,
        0 as segment_count,
        0 as traced_seconds,
        0 as removed_seconds
    from results
    union all
    select
        coalesce(event_evidence.ticket_slt_key, segment_evidence.ticket_slt_key) as ticket_slt_key,
        'ticket_event' as evidence_type,
        coalesce(event_evidence.batch_id, segment_evidence.batch_id) as evidence_code,
        coalesce(event_evidence.batch_id, segment_evidence.batch_id) as batch_id,
        coalesce(event_evidence.event_count, 0) as event_count,
        coalesce(event_evidence.raw_row_count, 0) as raw_row_count,
        event_evidence.first_recorded_at,
        event_evidence.last_recorded_at,
        coalesce(segment_evidence.segment_count, 0) as segment_count,
        coalesce(segment_evidence.traced_seconds, 0) as traced_seconds,
        0 as removed_seconds
    from event_evidence
    full join segment_evidence
        on
            event_evidence.ticket_slt_key = segment_evidence.ticket_slt_key
            and event_evidence.batch_id = segment_evidence.batch_id
    union all
    select
        ticket_slt_key,
        'exclusion_request' as evidence_type,
        exclusion_id as evidence_code,
        cast(null as varchar) as batch_id,
        0 as event_count,
        0 as raw_row_count,
        cast(null as timestamp) as first_recorded_at,
        cast(null as timestamp) as last_recorded_at,
        0 as segment_count,
        0 as traced_seconds,
        removed_seconds
    from effects
),

traced as (
    select
        evidence.*,
        results.ticket_number,
        results.slt_code,
        results.slt_version,
        results.target_row_key,
        definition_hashes.definition_hash,
        run_context.run_id,
        batches.source_name,
        batches.entity_name,
        batches.partition_key,
        batches.content_sha256
    from evidence
    inner join results on evidence.ticket_slt_key = results.ticket_slt_key
    left join definition_hashes
        on results.slt_code = definition_hashes.slt_code and results.slt_version = definition_hashes.slt_version
    left join batches on evidence.batch_id = batches.batch_id
    cross join run_context
),

final as (
    select
        cast(ticket_slt_key as varchar) as ticket_slt_key,
        cast(ticket_number as varchar) as ticket_number,
        cast(slt_code as varchar) as slt_code,
        cast(slt_version as integer) as slt_version,
        cast(definition_hash as varchar) as definition_hash,
        cast(target_row_key as varchar) as target_row_key,
        cast(evidence_type as varchar) as evidence_type,
        cast(evidence_code as varchar) as evidence_code,
        cast(batch_id as varchar) as batch_id,
        cast(source_name as varchar) as source_name,
        cast(entity_name as varchar) as entity_name,
        cast(partition_key as varchar) as partition_key,
        cast(content_sha256 as varchar) as content_sha256,
        cast(event_count as bigint) as event_count,
        cast(raw_row_count as bigint) as raw_row_count,
        cast(first_recorded_at as timestamp) as first_recorded_at,
        cast(last_recorded_at as timestamp) as last_recorded_at,
        cast(segment_count as bigint) as segment_count,
        cast(traced_seconds as bigint) as traced_seconds,
        cast(removed_seconds as bigint) as removed_seconds,
        cast(run_id as varchar) as run_id
    from traced
)

select * from final
