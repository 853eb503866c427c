{%- set record_columns = {
    'state': 'state',
    'priority': 'priority',
    'assignment_group': 'assignment_group_id',
    'assigned_to': 'assigned_to_id',
    'business_service': 'business_service_id',
    'cmdb_ci': 'configuration_item_id',
    'contract': 'contract_id'
} -%}
{%- set audited = record_columns.keys() | list -%}
with incidents as (
    select * from {{ ref('stg_servicenow__incidents') }}
),

audit_entries as (
    select * from {{ ref('stg_servicenow__audit_entries') }}
    where
        table_name = 'incident'
        and field_name in (
            {% for field in audited -%}
            '{{ field }}'{{ ',' if not loop.last }}
            {% endfor %}
        )
),

ticket_states as (
    select * from {{ ref('ticket_state') }}
    where source_system = 'servicenow'
),

services as (
    select * from {{ ref('stg_servicenow__services') }}
),

configuration_items as (
    select * from {{ ref('stg_servicenow__configuration_items') }}
),

contracts as (
    select * from {{ ref('stg_servicenow__contracts') }}
),

assignment_groups as (
    select * from {{ ref('stg_servicenow__groups') }}
),

-- whose account the assignee's was at the instant; a shared one is whoever's had the shift
agent_identity as (
    select * from {{ ref('int_agent_identity') }}
    where source_system = 'servicenow' and employee_number is not null
),

teams as (
    select * from {{ ref('team') }}
),

-- one row per change of the record; a field set to nothing is '' here, a field not touched is null
changes as (
    select
        document_id,
        sys_created_at as recorded_at,
        record_checkpoint,
        {% for field in audited -%}
        max(case when field_name = '{{ field }}' then coalesce(new_value, '') end) as {{ field }},
        {% endfor -%}
        count(*) as source_row_count,
        max(batch_id) as batch_id,
        cast(null as varchar) as inferred_reason
    from audit_entries
    group by document_id, sys_created_at, record_checkpoint
),

first_entries as (
    select
        document_id,
        field_name,
        coalesce(old_value, '') as old_value,
        coalesce(new_value, '') as new_value,
        record_checkpoint,
        sys_created_at
    from audit_entries
    qualify row_number() over (
            partition by document_id, field_name
            order by sys_created_at, record_checkpoint nulls first, audit_entry_id
        ) = 1
),

record_values as (
    {% for field in audited -%}
    select
        incident_id,
        opened_at,
        '{{ field }}' as field_name,
        coalesce(cast({{ record_columns[field] }} as varchar), '') as record_value,
        batch_id
    from incidents
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

-- a record that has ended and whose state was never audited cannot have opened so: when it ended is not known
ended_states as (
    select source_value from ticket_states
    where ticket_state in ('resolved', 'closed', 'canceled')
),

-- inserts are audited only where glide.sys.audit_inserts says so: without them a field opened with what its
-- first change replaced, or, never changed, with what the record says. An audited insert wins. What was
-- written before the opening is carried to it (null here).
opening_values as (
    select
        record_values.incident_id,
        record_values.opened_at,
        record_values.field_name,
        case
            when first_entries.document_id is null and ended_states.source_value is not null then null
            when first_entries.document_id is null then record_values.record_value
            when first_entries.sys_created_at < record_values.opened_at then null
            when first_entries.sys_created_at = record_values.opened_at or first_entries.record_checkpoint = 0
                then first_entries.new_value
            else first_entries.old_value
        end as opening_value,
        case
            when first_entries.document_id is null then record_values.record_value <> ''
            when first_entries.sys_created_at <= record_values.opened_at then false
            when first_entries.record_checkpoint = 0 then false
            else first_entries.old_value <> ''
        end as is_inferred,
        first_entries.document_id is null and ended_states.source_value is not null as is_end_without_history,
        record_values.batch_id
    from record_values
    left join first_entries
        on
            record_values.incident_id = first_entries.document_id
            and record_values.field_name = first_entries.field_name
    left join ended_states
        on record_values.field_name = 'state' and record_values.record_value = ended_states.source_value
    where record_values.opened_at is not null
),

openings as (
    select
        incident_id as document_id,
        opened_at as recorded_at,
        cast(null as integer) as record_checkpoint,
        {% for field in audited -%}
        max(case when field_name = '{{ field }}' then opening_value end) as {{ field }},
        {% endfor -%}
        cast(0 as bigint) as source_row_count,
        max(batch_id) as batch_id,
        case
            when max(case when is_end_without_history then 1 else 0 end) = 1 then 'no_history'
            else 'opening_not_audited'
        end as inferred_reason
    from opening_values
    group by incident_id, opened_at
    having max(case when is_inferred then 1 else 0 end) = 1
),

history as (
    select * from changes
    union all
    select * from openings
),

carried as (
    select
        document_id,
        recorded_at,
        record_checkpoint,
        {% for field in audited -%}
        nullif(last_value({{ field }} ignore nulls) over record_history, '') as {{ field }},
        {% endfor -%}
        source_row_count,
        batch_id,
        inferred_reason
    from history
    window record_history as (
        partition by document_id
        order by recorded_at, record_checkpoint nulls first
        rows between unbounded preceding and current row
    )
),

named as (
    select
        'servicenow:' || incidents.number as ticket_key,
        carried.recorded_at,
        carried.record_checkpoint as source_sequence,
        -- a code the mapping does not know is 'unknown', which keeps the clock as it was and fails a test
        case
            when carried.state is not null then coalesce(ticket_states.ticket_state, 'unknown')
            when carried.inferred_reason is not null then 'new'
        end as ticket_state,
        carried.state as source_state,
        cast(carried.priority as integer) as priority,
        services.service_code,
        configuration_items.configuration_item_code,
        contracts.contract_code,
        teams.team_code,
        assignment_groups.group_name as assignment_group_name,
        agent_identity.employee_number as assigned_employee_number,
        carried.source_row_count,
        carried.batch_id,
        carried.inferred_reason
    from carried
    inner join incidents on carried.document_id = incidents.incident_id
    left join ticket_states on carried.state = ticket_states.source_value
    left join services on carried.business_service = services.service_id
    left join configuration_items on carried.cmdb_ci = configuration_items.configuration_item_id
    left join contracts on carried.contract = contracts.contract_id
    left join assignment_groups on carried.assignment_group = assignment_groups.group_id
    left join teams on assignment_groups.group_name = teams.assignment_group_name
    left join agent_identity
        on
            carried.assigned_to = agent_identity.user_id
            and carried.recorded_at >= agent_identity.valid_from_at
            and carried.recorded_at < agent_identity.valid_to_at
)

select * from named
