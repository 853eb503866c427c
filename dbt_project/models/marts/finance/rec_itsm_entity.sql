{#- source, entity, staging model and its key; the event log has no single key and is counted by batch alone -#}
{%- set entities = [
    ('servicenow', 'incident', 'stg_servicenow__incidents', 'incident_id'),
    ('servicenow', 'sys_audit', 'stg_servicenow__audit_entries', 'audit_entry_id'),
    ('servicenow', 'change_request', 'stg_servicenow__change_requests', 'change_request_id'),
    ('servicenow', 'task_sla', 'stg_servicenow__task_slas', 'task_sla_id'),
    ('servicenow', 'problem', 'stg_servicenow__problems', 'problem_id'),
    ('servicenow', 'cmdb_ci', 'stg_servicenow__configuration_items', 'configuration_item_id'),
    ('servicenow', 'cmdb_rel_ci', 'stg_servicenow__item_relations', 'item_relation_id'),
    ('servicenow', 'kb_knowledge', 'stg_servicenow__articles', 'article_id'),
    ('servicenow', 'asmt_assessment_instance', 'stg_servicenow__surveys', 'survey_id'),
    ('servicenow', 'asmt_metric_result', 'stg_servicenow__survey_answers', 'survey_answer_id')
] -%}
with batches as (
    select * from {{ source('landing', 'extract_batch') }}
    where batch_id in (
            select extract_state.current_batch_id from {{ source('landing', 'extract_state') }} as extract_state
        )
),

repeats as (
    select * from {{ source('landing', 'landing_reject') }}
    where reason = 'duplicate_in_extract'
),

found_records as (
    select * from {{ source('landing', 'deleted_record') }}
),

{% for source_name, entity, staged, key in entities -%}
raw_{{ entity }} as (
    select * from {{ source(source_name, entity) }}
),

staged_{{ entity }} as (
    select * from {{ ref(staged) }}
),

{% endfor -%}
raw_event_log as (
    select * from {{ source('servicenow_event_log', 'incident_event') }}
),

staged_event_log as (
    select * from {{ ref('stg_servicenow_event_log__incident_events') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

tickets as (
    select * from {{ ref('int_ticket') }}
),

ticket_events as (
    select * from {{ ref('int_ticket_event') }}
),

change_requests as (
    select * from {{ ref('int_change_request') }}
),

ticket_slts as (
    select * from {{ ref('fct_ticket_slt') }}
),

sla_definitions as (
    select * from {{ ref('stg_servicenow__sla_definitions') }}
),

mapped_definitions as (
    select * from {{ ref('itsm_sla_definition') }}
    where source_system = 'servicenow'
),

staged_counts as (
    {% for source_name, entity, staged, key in entities -%}
    select
        batch_id,
        count(*) as staged_count
    from staged_{{ entity }}
    group by batch_id
    union all
    {% endfor -%}
    select
        batch_id,
        count(*) as staged_count
    from staged_event_log
    group by batch_id
),

-- versions of records that are gone from the source
deleted_versions as (
    select
        batch_id,
        record_key,
        max(found_at) as found_at
    from found_records
    group by batch_id, record_key
    having max_by(is_deleted, found_at)
),

-- a record that came again after it was found gone is there; else its older versions in other batches are gone with it
{% for source_name, entity, staged, key in entities -%}
deleted_{{ entity }} as (
    select raw_{{ entity }}.sys_id
    from raw_{{ entity }}
    inner join deleted_versions
        on
            raw_{{ entity }}._batch_id = deleted_versions.batch_id
            and raw_{{ entity }}.sys_id = deleted_versions.record_key
    left join raw_{{ entity }} as later
        on
            raw_{{ entity }}.sys_id = later.sys_id
            and raw_{{ entity }}._batch_id <> later._batch_id
            and deleted_versions.found_at < later._extracted_at
    group by raw_{{ entity }}.sys_id
    having count(later.sys_id) = 0
),

{% endfor -%}
-- every row landed stands in staging as it came, or another version of its record does, from its own batch or another;
-- or its record is gone from the source
landed as (
    {% for source_name, entity, staged, key in entities -%}
    select
        raw_{{ entity }}._batch_id as batch_id,
        count(*) as row_count,
        sum(case when staged_{{ entity }}.batch_id = raw_{{ entity }}._batch_id then 1 else 0 end) as own_count,
        sum(case when staged_{{ entity }}.batch_id <> raw_{{ entity }}._batch_id then 1 else 0 end) as superseded_count,
        sum(case
            when staged_{{ entity }}.{{ key }} is null and deleted_{{ entity }}.sys_id is not null then 1 else 0
        end) as deleted_count
    from raw_{{ entity }}
    left join staged_{{ entity }} on raw_{{ entity }}.sys_id = staged_{{ entity }}.{{ key }}
    left join deleted_{{ entity }} on raw_{{ entity }}.sys_id = deleted_{{ entity }}.sys_id
    group by raw_{{ entity }}._batch_id
    union all
    {% endfor -%}
    select
        _batch_id as batch_id,
        count(*) as row_count,
        count(distinct {{ md5_of(['number', 'sys_mod_count', 'sys_updated_at']) }}) as own_count,
        0 as superseded_count,
        0 as deleted_count
    from raw_event_log
    group by _batch_id
),

measured_tickets as (
    select distinct ticket_key
    from ticket_slts
),

audit_counts as (
    select
        staged_sys_audit.batch_id,
        sum(case
            when
                staged_incident.incident_id is not null
                and (
                    staged_sys_audit.sys_created_at > run_context.as_of_at
                    or staged_incident.opened_at > run_context.as_of_at
                )
                then 1
            else 0
        end) as after_as_of_count,
        sum(case when staged_incident.incident_id is null then 1 else 0 end) as set_aside_count
    from staged_sys_audit
    cross join run_context
    left join staged_incident on staged_sys_audit.document_id = staged_incident.incident_id
    group by staged_sys_audit.batch_id
),

event_counts as (
    select
        batch_id,
        sum(source_row_count) as model_count
    from ticket_events
    group by batch_id
),

-- what core and the marts make of the staged records, and why not of all of them
modelled as (
    select
        staged_incident.batch_id,
        'fct_ticket_slt' as model_name,
        sum(case when measured_tickets.ticket_key is not null then 1 else 0 end) as model_count,
        sum(case when tickets.ticket_key is null and staged_incident.opened_at > run_context.as_of_at then 1 else 0 end)
            as after_as_of_count,
        sum(case when tickets.ticket_key is not null and measured_tickets.ticket_key is null then 1 else 0 end)
            as set_aside_count
    from staged_incident
    cross join run_context
    left join tickets
        on tickets.source_system = 'servicenow' and staged_incident.number = tickets.ticket_number
    left join measured_tickets on tickets.ticket_key = measured_tickets.ticket_key
    group by staged_incident.batch_id
    union all
    select
        audit_counts.batch_id,
        'int_ticket_event' as model_name,
        coalesce(event_counts.model_count, 0) as model_count,
        audit_counts.after_as_of_count,
        audit_counts.set_aside_count
    from audit_counts
    left join event_counts on audit_counts.batch_id = event_counts.batch_id
    union all
    select
        staged_change_request.batch_id,
        'int_change_request' as model_name,
        sum(case when change_requests.change_number is not null then 1 else 0 end) as model_count,
        sum(case
            when change_requests.change_number is null and staged_change_request.opened_at > run_context.as_of_at then 1
            else 0
        end) as after_as_of_count,
        0 as set_aside_count
    from staged_change_request
    cross join run_context
    left join change_requests on staged_change_request.number = change_requests.change_number
    group by staged_change_request.batch_id
    union all
    select
        staged_task_sla.batch_id,
        'rec_itsm_task_sla' as model_name,
        sum(case
            when staged_incident.incident_id is not null and mapped_definitions.sla_name is not null then 1
            else 0
        end) as model_count,
        0 as after_as_of_count,
        sum(case when staged_incident.incident_id is null or mapped_definitions.sla_name is null then 1 else 0 end)
            as set_aside_count
    from staged_task_sla
    left join staged_incident on staged_task_sla.task_id = staged_incident.incident_id
    left join sla_definitions on staged_task_sla.sla_definition_id = sla_definitions.sla_definition_id
    left join mapped_definitions on sla_definitions.sla_name = mapped_definitions.sla_name
    group by staged_task_sla.batch_id
),

repeat_counts as (
    select
        batch_id,
        count(*) as repeated_count
    from repeats
    group by batch_id
),

by_batch as (
    select
        batches.source,
        batches.entity,
        coalesce(
            substr(cast(batches.window_start_at as varchar), 1, 7),
            case when batches.partition_key = 'snapshot' then 'snapshot' else 'file' end
        ) as window_month,
        batches.source_count,
        batches.received_count,
        batches.rejected_count,
        batches.row_count,
        coalesce(repeat_counts.repeated_count, 0) as repeated_count,
        coalesce(landed.row_count, 0) as landed_count,
        case
            when batches.source = 'servicenow_event_log' then coalesce(landed.row_count - landed.own_count, 0)
            else greatest(coalesce(landed.own_count, 0) - coalesce(staged_counts.staged_count, 0), 0)
        end as repeated_key_count,
        coalesce(landed.superseded_count, 0) as superseded_count,
        coalesce(landed.deleted_count, 0) as deleted_count,
        coalesce(staged_counts.staged_count, 0) as staged_count,
        modelled.model_name,
        modelled.model_count,
        coalesce(modelled.after_as_of_count, 0) as after_as_of_count,
        coalesce(modelled.set_aside_count, 0) as set_aside_count
    from batches
    left join repeat_counts on batches.batch_id = repeat_counts.batch_id
    left join landed on batches.batch_id = landed.batch_id
    left join staged_counts on batches.batch_id = staged_counts.batch_id
    left join modelled on batches.batch_id = modelled.batch_id
    where
        batches.source = 'servicenow_event_log'
        or (
            batches.source = 'servicenow'
            and batches.entity in (
                {% for source_name, entity, staged, key in entities -%}
                '{{ entity }}'{{ ',' if not loop.last }}
                {% endfor %}
            )
        )
),

totals as (
    select
        source,
        entity,
        window_month,
        count(*) as batch_count,
        case when count(source_count) = count(*) then sum(source_count) end as source_count,
        sum(received_count) as received_count,
        sum(repeated_count) as repeated_count,
        sum(rejected_count - repeated_count) as rejected_count,
        sum(landed_count) as landed_count,
        sum(repeated_key_count) as repeated_key_count,
        sum(superseded_count) as superseded_count,
        sum(deleted_count) as deleted_count,
        sum(staged_count) as staged_count,
        max(model_name) as model_name,
        sum(model_count) as model_count,
        sum(after_as_of_count) as after_as_of_count,
        sum(set_aside_count) as set_aside_count,
        -- batch by batch, so that a loss and a gain cannot cancel out
        sum(coalesce(abs(source_count - (received_count - repeated_count)), 0)) as lost_at_source_count,
        sum(abs(received_count - rejected_count - landed_count)) as lost_in_landing_count,
        sum(abs(landed_count - repeated_key_count - superseded_count - deleted_count - staged_count))
            as lost_in_staging_count,
        sum(coalesce(abs(staged_count - model_count - after_as_of_count - set_aside_count), 0)) as lost_in_model_count
    from by_batch
    group by source, entity, window_month
),

final as (
    select
        cast(source as varchar) as source_system,
        cast(entity as varchar) as entity_name,
        cast(window_month as varchar) as window_month,
        cast(batch_count as bigint) as batch_count,
        cast(source_count as bigint) as source_count,
        cast(received_count as bigint) as received_count,
        cast(repeated_count as bigint) as repeated_count,
        cast(rejected_count as bigint) as rejected_count,
        cast(landed_count as bigint) as landed_count,
        cast(repeated_key_count as bigint) as repeated_key_count,
        cast(superseded_count as bigint) as superseded_count,
        cast(deleted_count as bigint) as deleted_count,
        cast(staged_count as bigint) as staged_count,
        cast(model_name as varchar) as model_name,
        cast(model_count as bigint) as model_count,
        cast(after_as_of_count as bigint) as after_as_of_count,
        cast(set_aside_count as bigint) as set_aside_count,
        cast(lost_at_source_count + lost_in_landing_count + lost_in_staging_count + lost_in_model_count as bigint)
            as unexplained_count,
        cast(case
            when lost_at_source_count > 0 then 'lost_at_source'
            when lost_in_landing_count > 0 then 'lost_in_landing'
            when lost_in_staging_count > 0 then 'lost_in_staging'
            when lost_in_model_count > 0 then 'lost_in_model'
            when
                repeated_count + rejected_count + repeated_key_count + superseded_count + deleted_count
                + after_as_of_count + set_aside_count > 0
                then 'explained'
            else 'matched'
        end as varchar) as status,
        cast(coalesce(nullif(concat_ws(
            '; ',
            case when source_count is null then 'the source does not say how many' end,
            case when repeated_count > 0 then 'came twice: ' || cast(repeated_count as varchar) end,
            case when rejected_count > 0 then 'rejected: ' || cast(rejected_count as varchar) end,
            case
                when repeated_key_count > 0
                    then 'two versions in one extract: ' || cast(repeated_key_count as varchar)
            end,
            case
                when superseded_count > 0
                    then 'newer version in another batch: ' || cast(superseded_count as varchar)
            end,
            case when deleted_count > 0 then 'deleted at the source: ' || cast(deleted_count as varchar) end,
            case when after_as_of_count > 0 then 'after the run''s instant: ' || cast(after_as_of_count as varchar) end,
            case
                when set_aside_count > 0 and entity = 'incident' then 'no target: ' || cast(set_aside_count as varchar)
                when set_aside_count > 0 and entity = 'sys_audit'
                    then 'of an incident that is not here: ' || cast(set_aside_count as varchar)
                when set_aside_count > 0 then 'stands for no SLT of ours: ' || cast(set_aside_count as varchar)
            end
        ), ''), 'all of them') as varchar) as explanation
    from totals
)

select * from final
