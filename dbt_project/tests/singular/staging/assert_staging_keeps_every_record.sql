{#- The newest version per key is all staging may leave out. Windowed entities: every key ever landed, but for
    those found gone from the source that have not landed since.
    Others: every key of the batches that now stand for their partitions. -#}
{{ config(meta={'dagster': {'ref': {'name': 'stg_servicenow__incidents'}}}) }}
{%- set windowed = [
    ('servicenow', 'incident', 'sys_id', 'stg_servicenow__incidents'),
    ('servicenow', 'sys_audit', 'sys_id', 'stg_servicenow__audit_entries'),
    ('servicenow', 'change_request', 'sys_id', 'stg_servicenow__change_requests'),
    ('datadog', 'monitor_transition', 'id', 'stg_datadog__monitor_transitions'),
    ('datadog', 'synthetic_result', 'result_id', 'stg_datadog__synthetic_results'),
    ('datadog', 'rum_event', 'id', 'stg_datadog__rum_events')
] -%}
{%- set current = [
    ('servicenow', 'sys_user_group', 'sys_id', 'stg_servicenow__groups'),
    ('servicenow', 'sys_user', 'sys_id', 'stg_servicenow__users'),
    ('servicenow', 'cmdb_ci_service', 'sys_id', 'stg_servicenow__services'),
    ('servicenow', 'cmdb_ci', 'sys_id', 'stg_servicenow__configuration_items'),
    ('servicenow', 'ast_contract', 'sys_id', 'stg_servicenow__contracts'),
    ('servicenow_event_log', 'incident_event', "number || '/' || sys_mod_count || '/' || sys_updated_at",
        'stg_servicenow_event_log__incident_events'),
    ('datadog', 'monitor', 'id', 'stg_datadog__monitors'),
    ('datadog', 'slo', 'id', 'stg_datadog__slos'),
    ('datadog', 'downtime', 'id', 'stg_datadog__downtimes'),
    ('datadog', 'slo_history', "slo_id || '/' || from_ts || '/' || to_ts", 'stg_datadog__slo_histories'),
    ('datadog', 'slo_correction', 'id', 'stg_datadog__slo_corrections'),
    ('datadog', 'incident', 'id', 'stg_datadog__incidents'),
    ('datadog', 'synthetic_test', 'public_id', 'stg_datadog__synthetic_tests'),
    ('legacy_log', 'log_line', "log_name || '/' || log_file || '/' || line_number", 'stg_legacy_log__lines'),
    ('monitor_samples', 'monitor_sample',
        "monitor_id || '/' || probe_location || '/' || sampled_at || '/' || received_at",
        'stg_monitor_samples__samples'),
    ('bamboohr', 'employee', 'id', 'stg_bamboohr__employees'),
    ('bamboohr', 'job_info', 'id', 'stg_bamboohr__job_infos'),
    ('bamboohr', 'employment_status', 'id', 'stg_bamboohr__employment_statuses'),
    ('bamboohr', 'incentive_target', 'id', 'stg_bamboohr__incentive_targets'),
    ('bamboohr', 'employment_term', 'id', 'stg_bamboohr__employment_terms'),
    ('bamboohr', 'team_assignment', 'id', 'stg_bamboohr__team_assignments'),
    ('bamboohr', 'plan_acknowledgement', 'id', 'stg_bamboohr__plan_acknowledgements'),
    ('bamboohr', 'shift', 'id', 'stg_bamboohr__shifts'),
    ('bamboohr', 'on_call_rotation', 'id', 'stg_bamboohr__on_call_rotations'),
    ('bamboohr', 'time_off_request', 'id', 'stg_bamboohr__time_off_requests'),
    ('workday', 'worker', adapter.quote('Employee_ID') ~ " || '/' || " ~ adapter.quote('Effective_Date'),
        'stg_workday__workers'),
    ('payroll', 'register_line', 'payroll_line_id', 'stg_payroll__register_lines'),
    ('ledger', 'journal_line', "voucher_number || '/' || line_number", 'stg_ledger__journal_lines')
] -%}
-- A record that was landed and is not in staging, or is there twice.
with counts as (
    {%- for source_name, entity, key, model in windowed %}
    select
        '{{ model }}' as model_name,
        (select count(distinct {{ key }}) from {{ source(source_name, entity) }}) - (
            select count(*)
            from (
                select
                    batch_id,
                    record_key,
                    max(found_at) as found_at
                from {{ source('landing', 'deleted_record') }}
                where source = '{{ source_name }}' and entity = '{{ entity }}'
                group by batch_id, record_key
                having max_by(is_deleted, found_at)
            ) as gone
            where not exists (
                    select 1
                    from {{ source(source_name, entity) }} as landed
                    where landed.{{ key }} = gone.record_key and landed._extracted_at > gone.found_at
                )
        ) as raw_count,
        (select count(*) from {{ ref(model) }}) as staged_count
    union all
    {%- endfor %}
    {%- for source_name, entity, key, model in current %}
    select
        '{{ model }}' as model_name,
        (
            select count(distinct {{ key }})
            from {{ source(source_name, entity) }}
            where _batch_id in (
                    select extract_state.current_batch_id
                    from {{ source('landing', 'extract_state') }} as extract_state
                    where extract_state.source = '{{ source_name }}' and extract_state.entity = '{{ entity }}'
                )
        ) as raw_count,
        (select count(*) from {{ ref(model) }}) as staged_count
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select *
from counts
where raw_count <> staged_count
