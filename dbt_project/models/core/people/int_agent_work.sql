-- Who did what on a ticket, by the account that wrote it: every change after the opening, whose request it is.
with audit_entries as (
    select * from {{ ref('stg_servicenow__audit_entries') }}
    where table_name = 'incident'
),

incidents as (
    select * from {{ ref('stg_servicenow__incidents') }}
),

agent_identity as (
    select * from {{ ref('int_agent_identity') }}
    where source_system = 'servicenow'
),

changes as (
    select
        audit_entries.document_id,
        audit_entries.user_name,
        audit_entries.sys_created_at as worked_at,
        incidents.number as ticket_number,
        count(*) as change_count,
        max(audit_entries.batch_id) as batch_id
    from audit_entries
    inner join incidents on audit_entries.document_id = incidents.incident_id
    where audit_entries.sys_created_at > incidents.opened_at
    group by audit_entries.document_id, audit_entries.user_name, audit_entries.sys_created_at, incidents.number
),

final as (
    select
        {{ md5_of(['changes.ticket_number', 'changes.user_name', 'changes.worked_at']) }} as work_key,
        'servicenow' as source_system,
        'servicenow:' || changes.ticket_number as ticket_key,
        changes.user_name,
        agent_identity.user_id,
        coalesce(agent_identity.account_kind, 'personal') as account_kind,
        changes.worked_at,
        changes.change_count,
        agent_identity.hris_system,
        agent_identity.employee_id,
        agent_identity.employee_number,
        coalesce(agent_identity.is_attributed, false) as is_attributed,
        case
            when agent_identity.agent_identity_key is null then 'unknown_account'
            else agent_identity.unattributed_reason
        end as unattributed_reason,
        changes.batch_id
    from changes
    left join agent_identity
        on
            changes.user_name = agent_identity.user_name
            and changes.worked_at >= agent_identity.valid_from_at
            and changes.worked_at < agent_identity.valid_to_at
)

select * from final
