with raw_incidents as (
    select * from {{ source('servicenow', 'incident') }}
),

raw_audit_entries as (
    select * from {{ source('servicenow', 'sys_audit') }}
),

raw_log_events as (
    select *
    from {{ source('servicenow_event_log', 'incident_event') }}
    where _batch_id in (
            select extract_state.current_batch_id
            from {{ source('landing', 'extract_state') }} as extract_state
            where extract_state.source = 'servicenow_event_log'
        )
),

found_records as (
    select * from {{ source('landing', 'deleted_record') }}
),

raw_issues as (
    select * from {{ source('jira', 'issue') }}
),

raw_changelogs as (
    select * from {{ source('jira', 'issue_changelog') }}
),

staged_incidents as (
    select * from {{ ref('stg_servicenow__incidents') }}
),

staged_audit_entries as (
    select * from {{ ref('stg_servicenow__audit_entries') }}
),

staged_log_events as (
    select * from {{ ref('stg_servicenow_event_log__incident_events') }}
),

staged_issues as (
    select * from {{ ref('stg_jira__issues') }}
),

staged_changelogs as (
    select * from {{ ref('stg_jira__changelogs') }}
),

tickets as (
    select * from {{ ref('int_ticket') }}
),

events as (
    select * from {{ ref('int_ticket_event') }}
),

outlines as (
    select * from {{ ref('int_slt_outline') }}
),

ticket_slts as (
    select * from {{ ref('fct_ticket_slt') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

-- versions of records that are gone from the source
deleted_versions as (
    select
        batch_id,
        record_key
    from found_records
    group by batch_id, record_key
    having max_by(is_deleted, found_at)
),

deleted_incidents as (
    select distinct
        raw_incidents.sys_id,
        raw_incidents.number
    from raw_incidents
    inner join deleted_versions
        on raw_incidents._batch_id = deleted_versions.batch_id and raw_incidents.sys_id = deleted_versions.record_key
    left join staged_incidents on raw_incidents.sys_id = staged_incidents.incident_id
    where staged_incidents.incident_id is null
),

deleted_audit_entries as (
    select distinct raw_audit_entries.sys_id
    from raw_audit_entries
    inner join deleted_versions
        on
            raw_audit_entries._batch_id = deleted_versions.batch_id
            and raw_audit_entries.sys_id = deleted_versions.record_key
    left join staged_audit_entries on raw_audit_entries.sys_id = staged_audit_entries.audit_entry_id
    where staged_audit_entries.audit_entry_id is null
),

-- months are cut from the text as received, so that a value staging would stumble over still counts here
raw_tickets as (
    select
        'servicenow' as source_system,
        number as ticket_number,
        min(substr(opened_at, 1, 7)) as opened_month
    from raw_incidents
    group by number
    union all
    select
        'servicenow_event_log' as source_system,
        number as ticket_number,
        min(
            substr(split_part(opened_at, '/', 3), 1, 4) || '-' || lpad(split_part(opened_at, '/', 2), 2, '0')
        ) as opened_month
    from raw_log_events
    group by number
    union all
    select
        'jira' as source_system,
        issue_keys.issue_key as ticket_number,
        min(issue_keys.opened_month) as opened_month
    from (
        select
            {{ adapter.quote('key') }} as issue_key,
            substr(created, 1, 7) as opened_month
        from raw_issues
        -- an issue that is moved gets another key: the last one counts
        qualify row_number() over (partition by id order by _extracted_at desc, _batch_id desc, _row_number desc) = 1
    ) as issue_keys
    group by issue_keys.issue_key
),

staged_tickets as (
    select
        'servicenow' as source_system,
        number as ticket_number,
        min(opened_at) as opened_at
    from staged_incidents
    group by number
    union all
    select
        'servicenow_event_log' as source_system,
        number as ticket_number,
        min(opened_at) as opened_at
    from staged_log_events
    group by number
    union all
    select
        'jira' as source_system,
        issue_key as ticket_number,
        min(created_at) as opened_at
    from staged_issues
    group by issue_key
),

raw_incident_numbers as (
    select distinct
        sys_id,
        number
    from raw_incidents
),

raw_log_keys as (
    select distinct
        number,
        sys_mod_count,
        sys_updated_at
    from raw_log_events
),

raw_changelog_entries as (
    select distinct
        issue_id,
        id,
        items
    from raw_changelogs
),

raw_changelog_items as (
    select
        issue_id,
        id,
        {{ json_elements('items') }} as item
    from raw_changelog_entries
),

staged_changelog_items as (
    select
        issue_id,
        changed_at,
        {{ json_elements('items') }} as item
    from staged_changelogs
),

raw_event_counts as (
    select
        'servicenow' as source_system,
        incidents.number as ticket_number,
        count(distinct raw_audit_entries.sys_id) as event_count,
        count(distinct case
            when deleted_incidents.sys_id is not null or deleted_audit_entries.sys_id is not null
                then raw_audit_entries.sys_id
        end) as deleted_event_count
    from raw_audit_entries
    inner join raw_incident_numbers as incidents
        on raw_audit_entries.documentkey = incidents.sys_id
    left join deleted_incidents on raw_audit_entries.documentkey = deleted_incidents.sys_id
    left join deleted_audit_entries on raw_audit_entries.sys_id = deleted_audit_entries.sys_id
    where
        raw_audit_entries.tablename = 'incident'
        and raw_audit_entries.fieldname in (
            'state', 'priority', 'assignment_group', 'assigned_to', 'business_service', 'cmdb_ci', 'contract'
        )
    group by incidents.number
    union all
    select
        'servicenow_event_log' as source_system,
        log_keys.number as ticket_number,
        count(*) as event_count,
        0 as deleted_event_count
    from raw_log_keys as log_keys
    group by log_keys.number
    union all
    select
        'jira' as source_system,
        staged_issues.issue_key as ticket_number,
        count(*) as event_count,
        0 as deleted_event_count
    from raw_changelog_items
    inner join staged_issues on raw_changelog_items.issue_id = staged_issues.issue_id
    where {{ jira_logged_field('raw_changelog_items.item') }} is not null
    group by staged_issues.issue_key
),

-- what had not happened yet at the instant the run looks from
late_event_counts as (
    select
        'servicenow' as source_system,
        staged_incidents.number as ticket_number,
        count(*) as event_count
    from staged_audit_entries
    inner join staged_incidents on staged_audit_entries.document_id = staged_incidents.incident_id
    cross join run_context
    where
        staged_audit_entries.table_name = 'incident'
        and staged_audit_entries.field_name in (
            'state', 'priority', 'assignment_group', 'assigned_to', 'business_service', 'cmdb_ci', 'contract'
        )
        and (
            staged_audit_entries.sys_created_at > run_context.as_of_at
            or staged_incidents.opened_at > run_context.as_of_at
        )
    group by staged_incidents.number
    union all
    select
        'servicenow_event_log' as source_system,
        staged_log_events.number as ticket_number,
        count(*) as event_count
    from staged_log_events
    cross join run_context
    where
        staged_log_events.sys_updated_at > run_context.as_of_at
        or staged_log_events.opened_at > run_context.as_of_at
    group by staged_log_events.number
    union all
    select
        'jira' as source_system,
        staged_issues.issue_key as ticket_number,
        count(*) as event_count
    from staged_changelog_items
    inner join staged_issues on staged_changelog_items.issue_id = staged_issues.issue_id
    cross join run_context
    where
        {{ jira_logged_field('staged_changelog_items.item') }} is not null
        and (
            {{ whole_second('staged_changelog_items.changed_at') }} > run_context.as_of_at
            or {{ whole_second('staged_issues.created_at') }} > run_context.as_of_at
        )
    group by staged_issues.issue_key
),

core_event_counts as (
    select
        ticket_key,
        sum(source_row_count) as event_count
    from events
    group by ticket_key
),

-- what has a result, and what attached and has none
owed as (
    select
        ticket_key,
        ticket_slt_key
    from outlines
    union
    select
        ticket_key,
        ticket_slt_key
    from ticket_slts
),

-- a ticket is in the mart when it has the result of each SLT its source is measured by
mart_tickets as (
    select
        owed.ticket_key,
        count(ticket_slts.ticket_slt_key) as slt_row_count,
        count(ticket_slts.ticket_slt_key) = count(*) as is_complete,
        bool_or(coalesce(ticket_slts.slt_status = 'invalid', false)) as is_invalid
    from owed
    left join ticket_slts on owed.ticket_slt_key = ticket_slts.ticket_slt_key
    group by owed.ticket_key
),

deleted_tickets as (
    select distinct
        'servicenow' as source_system,
        number as ticket_number
    from deleted_incidents
),

ticket_keys as (
    select
        source_system,
        ticket_number
    from raw_tickets
    union
    select
        source_system,
        ticket_number
    from staged_tickets
    union
    select
        source_system,
        ticket_number
    from tickets
),

by_ticket as (
    select
        ticket_keys.source_system,
        coalesce(
            substr(cast(staged_tickets.opened_at as varchar), 1, 7), raw_tickets.opened_month, 'unknown'
        ) as opened_month,
        raw_tickets.ticket_number is not null as is_raw,
        staged_tickets.ticket_number is not null as is_staged,
        staged_tickets.ticket_number is null and deleted_tickets.ticket_number is not null as is_deleted,
        tickets.ticket_key is not null as is_core,
        coalesce(mart_tickets.is_complete, false) as is_mart,
        coalesce(mart_tickets.is_invalid, false) as is_invalid,
        staged_tickets.ticket_number is not null
        and tickets.ticket_key is null
        and staged_tickets.opened_at > run_context.as_of_at as is_after_as_of,
        tickets.ticket_key is not null and not coalesce(mart_tickets.is_complete, false) as is_without_target,
        coalesce(mart_tickets.slt_row_count, 0) as slt_row_count,
        coalesce(raw_event_counts.event_count, 0) as raw_event_count,
        coalesce(raw_event_counts.deleted_event_count, 0) as deleted_event_count,
        coalesce(core_event_counts.event_count, 0) as core_event_count,
        coalesce(late_event_counts.event_count, 0) as late_event_count
    from ticket_keys
    cross join run_context
    left join raw_tickets
        on
            ticket_keys.source_system = raw_tickets.source_system
            and ticket_keys.ticket_number = raw_tickets.ticket_number
    left join deleted_tickets
        on
            ticket_keys.source_system = deleted_tickets.source_system
            and ticket_keys.ticket_number = deleted_tickets.ticket_number
    left join staged_tickets
        on
            ticket_keys.source_system = staged_tickets.source_system
            and ticket_keys.ticket_number = staged_tickets.ticket_number
    left join tickets
        on
            ticket_keys.source_system = tickets.source_system
            and ticket_keys.ticket_number = tickets.ticket_number
    left join mart_tickets on tickets.ticket_key = mart_tickets.ticket_key
    left join core_event_counts on tickets.ticket_key = core_event_counts.ticket_key
    left join raw_event_counts
        on
            ticket_keys.source_system = raw_event_counts.source_system
            and ticket_keys.ticket_number = raw_event_counts.ticket_number
    left join late_event_counts
        on
            ticket_keys.source_system = late_event_counts.source_system
            and ticket_keys.ticket_number = late_event_counts.ticket_number
),

totals as (
    select
        source_system,
        opened_month,
        sum(case when is_raw then 1 else 0 end) as raw_count,
        sum(case when is_staged then 1 else 0 end) as staged_count,
        sum(case when is_core then 1 else 0 end) as core_count,
        sum(case when is_mart then 1 else 0 end) as mart_count,
        sum(slt_row_count) as slt_row_count,
        sum(case when is_raw and not is_staged and not is_deleted then 1 else 0 end) as missing_in_staging_count,
        sum(case when is_deleted then 1 else 0 end) as deleted_count,
        sum(case when is_staged and not is_core and not is_after_as_of then 1 else 0 end)
            as missing_in_core_count,
        sum(case when not is_raw then 1 else 0 end) as surplus_count,
        sum(case when is_after_as_of then 1 else 0 end) as after_as_of_count,
        sum(case when is_without_target then 1 else 0 end) as no_target_count,
        sum(case when is_invalid then 1 else 0 end) as invalid_count,
        sum(raw_event_count) as raw_event_count,
        sum(deleted_event_count) as deleted_event_count,
        sum(core_event_count) as core_event_count,
        sum(late_event_count) as late_event_count
    from by_ticket
    group by source_system, opened_month
),

final as (
    select
        cast(source_system as varchar) as source_system,
        cast(opened_month as varchar) as opened_month,
        cast(raw_count as bigint) as raw_count,
        cast(staged_count as bigint) as staged_count,
        cast(core_count as bigint) as core_count,
        cast(mart_count as bigint) as mart_count,
        cast(slt_row_count as bigint) as slt_row_count,
        cast(raw_count - mart_count as bigint) as difference_count,
        cast(deleted_count as bigint) as deleted_count,
        cast(no_target_count as bigint) as no_target_count,
        cast(after_as_of_count as bigint) as after_as_of_count,
        cast(invalid_count as bigint) as invalid_count,
        cast(missing_in_staging_count + missing_in_core_count + surplus_count as bigint) as unexplained_count,
        cast(raw_event_count as bigint) as raw_event_count,
        cast(core_event_count as bigint) as core_event_count,
        cast(late_event_count as bigint) as late_event_count,
        cast(deleted_event_count as bigint) as deleted_event_count,
        cast(raw_event_count - core_event_count - late_event_count - deleted_event_count as bigint)
            as unexplained_event_count,
        cast(case
            when missing_in_staging_count > 0 then 'missing_in_staging'
            when missing_in_core_count > 0 then 'missing_in_core'
            when surplus_count > 0 then 'surplus'
            when no_target_count + after_as_of_count + deleted_count > 0 then 'missing_in_mart'
            when raw_event_count <> core_event_count + late_event_count + deleted_event_count then 'events_differ'
            else 'matched'
        end as varchar) as reconciliation_status,
        cast(nullif(concat_ws(
            '; ',
            case when deleted_count > 0 then 'deleted at the source: ' || cast(deleted_count as varchar) end,
            case when no_target_count > 0 then 'no_target: ' || cast(no_target_count as varchar) end,
            case when after_as_of_count > 0 then 'after_as_of: ' || cast(after_as_of_count as varchar) end,
            case
                when invalid_count > 0
                    then 'invalid (in the mart, never paid): ' || cast(invalid_count as varchar)
            end
        ), '') as varchar) as explanation
    from totals
)

select * from final
