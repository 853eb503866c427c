{%- set record_columns = {
    'status': 'status_id',
    'priority': 'priority_id',
    'assignment_group': 'assignment_group_name',
    'assignee': 'assignee_id'
} -%}
{%- set logged = record_columns.keys() | list -%}
with issues as (
    select * from {{ ref('stg_jira__issues') }}
),

changelogs as (
    select * from {{ ref('stg_jira__changelogs') }}
),

ticket_states as (
    select * from {{ ref('ticket_state') }}
    where source_system = 'jira'
),

accounts as (
    select * from {{ ref('stg_jira__accounts') }}
),

employment as (
    select * from {{ ref('int_employment') }}
    where is_primary
),

teams as (
    select * from {{ ref('team') }}
),

items as (
    select
        issue_id,
        history_id,
        changed_at,
        {{ json_elements('items') }} as item,
        batch_id
    from changelogs
),

-- ids stay when a status is renamed; an option of the site's own field is known by its name
entries as (
    select
        issue_id,
        history_id,
        changed_at,
        {{ jira_logged_field('item') }} as field_name,
        coalesce({{ jira_logged_value('item', 'from') }}, '') as old_value,
        coalesce({{ jira_logged_value('item', 'to') }}, '') as new_value,
        batch_id
    from items
    where {{ jira_logged_field('item') }} is not null
),

-- one row per entry of the changelog; a field set to nothing is '' here, a field not touched is null
changes as (
    select
        issue_id,
        changed_at,
        history_id,
        {% for field in logged -%}
        max(case when field_name = '{{ field }}' then new_value end) as {{ field }},
        {% endfor -%}
        count(*) as source_row_count,
        max(batch_id) as batch_id,
        cast(null as varchar) as inferred_reason
    from entries
    group by issue_id, changed_at, history_id
),

first_entries as (
    select
        issue_id,
        field_name,
        old_value
    from entries
    qualify row_number() over (
            partition by issue_id, field_name
            order by changed_at, history_id
        ) = 1
),

record_values as (
    {% for field in logged -%}
    select
        issue_id,
        created_at,
        '{{ field }}' as field_name,
        coalesce({{ record_columns[field] }}, '') as record_value,
        batch_id
    from issues
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

-- an issue that has ended and whose status never changed cannot have been created so: when it ended is not known
ended_states as (
    select source_value from ticket_states
    where ticket_state in ('resolved', 'closed', 'canceled')
),

opening_values as (
    select
        record_values.issue_id,
        record_values.created_at,
        record_values.field_name,
        case
            when first_entries.issue_id is not null then first_entries.old_value
            when ended_states.source_value is null then record_values.record_value
        end as opening_value,
        first_entries.issue_id is null and ended_states.source_value is not null as is_end_without_history,
        record_values.batch_id
    from record_values
    left join first_entries
        on
            record_values.issue_id = first_entries.issue_id
            and record_values.field_name = first_entries.field_name
    left join ended_states
        on record_values.field_name = 'status' and record_values.record_value = ended_states.source_value
),

openings as (
    select
        issue_id,
        created_at as changed_at,
        cast(null as bigint) as history_id,
        {% for field in logged -%}
        max(case when field_name = '{{ field }}' then opening_value end) as {{ field }},
        {% endfor -%}
        cast(0 as bigint) as source_row_count,
        max(batch_id) as batch_id,
        case
            when max(case when is_end_without_history then 1 else 0 end) = 1 then 'no_history'
            else 'opening_not_audited'
        end as inferred_reason
    from opening_values
    group by issue_id, created_at
),

history as (
    select * from changes
    union all
    select * from openings
),

carried as (
    select
        issue_id,
        changed_at,
        row_number() over (partition by issue_id order by changed_at, history_id nulls first) as source_sequence,
        {% for field in logged -%}
        nullif(last_value({{ field }} ignore nulls) over issue_history, '') as {{ field }},
        {% endfor -%}
        source_row_count,
        batch_id,
        inferred_reason
    from history
    window issue_history as (
        partition by issue_id
        order by changed_at, history_id nulls first
        rows between unbounded preceding and current row
    )
),

named as (
    select
        'jira:' || issues.issue_key as ticket_key,
        {{ whole_second('carried.changed_at') }} as recorded_at,
        cast(carried.source_sequence as integer) as source_sequence,
        -- a status the mapping does not know is 'unknown', which keeps the clock as it was and fails a test
        case
            when carried.status is not null then coalesce(ticket_states.ticket_state, 'unknown')
            when carried.inferred_reason is not null then 'new'
        end as ticket_state,
        carried.status as source_state,
        case when carried.priority in ('1', '2', '3', '4', '5') then cast(carried.priority as integer) end as priority,
        cast(null as varchar) as service_code,
        cast(null as varchar) as configuration_item_code,
        cast(null as varchar) as contract_code,
        teams.team_code,
        carried.assignment_group as assignment_group_name,
        employment.employee_number as assigned_employee_number,
        carried.source_row_count,
        carried.batch_id,
        carried.inferred_reason
    from carried
    inner join issues on carried.issue_id = issues.issue_id
    left join ticket_states on carried.status = ticket_states.source_value
    left join teams on carried.assignment_group = teams.assignment_group_name
    left join accounts on carried.assignee = accounts.account_id
    left join employment
        on
            accounts.email_address = employment.work_email
            and cast(carried.changed_at as date) >= employment.employed_from_on
            and (
                employment.employed_to_on is null
                or cast(carried.changed_at as date) < employment.employed_to_on
            )
    -- two records of one address: as int_agent_identity chooses
    qualify row_number() over (
            partition by carried.issue_id, carried.source_sequence
            order by
                case when employment.is_listed then 0 else 1 end asc,
                employment.employed_from_on desc nulls last,
                employment.employment_key asc
        ) = 1
)

select * from named
