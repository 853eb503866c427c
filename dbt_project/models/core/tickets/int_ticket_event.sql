with ticket_ids as (
    select * from {{ ref('int_ticket_id') }}
),

records as (
    select * from {{ ref('int_ticket_record') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

servicenow_events as (
    select * from {{ ref('int_servicenow_ticket_event') }}
),

event_log_events as (
    select * from {{ ref('int_event_log_ticket_event') }}
),

jira_events as (
    select * from {{ ref('int_jira_ticket_event') }}
),

requests as (
    select
        scope_type,
        scope_code
    from {{ ref('int_exclusion_request') }}
    where is_documented
),

items as (
    select * from {{ ref('configuration_item') }}
),

services as (
    select * from {{ ref('service') }}
),

-- only an item that changes what is excluded makes a scope of its own: a request names it, or names its vendor
-- while its service stands on another one
named_items as (
    select scope_code as configuration_item_code
    from requests
    where scope_type = 'configuration_item'
    union
    select items.configuration_item_code
    from items
    inner join requests on requests.scope_type = 'vendor' and items.vendor_code = requests.scope_code
    left join services on items.service_code = services.service_code
    where coalesce(services.vendor_code, '') <> items.vendor_code
),

source_events as (
    select * from servicenow_events
    union all
    select * from event_log_events
    union all
    select * from jira_events
),

recorded as (
    select
        source_events.*,
        records.opened_at
    from source_events
    inner join records on source_events.ticket_key = records.ticket_key
    cross join run_context
    where source_events.recorded_at <= run_context.as_of_at
),

first_recorded as (
    select *
    from recorded
    qualify row_number() over (
            partition by ticket_key order by recorded_at, source_sequence nulls first
        ) = 1
),

-- a clock starts when the ticket is opened: where the history begins later, the ticket was new until then
inferred as (
    select
        records.ticket_key,
        records.opened_at as recorded_at,
        cast(null as integer) as source_sequence,
        'new' as ticket_state,
        cast(null as varchar) as source_state,
        coalesce(first_recorded.priority, records.priority) as priority,
        first_recorded.service_code,
        first_recorded.configuration_item_code,
        first_recorded.contract_code,
        first_recorded.team_code,
        first_recorded.assignment_group_name,
        cast(null as varchar) as assigned_employee_number,
        cast(0 as bigint) as source_row_count,
        coalesce(first_recorded.batch_id, records.batch_id) as batch_id,
        case
            when first_recorded.ticket_key is null then 'no_history'
            else 'history_begins_after_opening'
        end as inferred_reason,
        records.opened_at
    from records
    left join first_recorded on records.ticket_key = first_recorded.ticket_key
    where first_recorded.ticket_key is null or first_recorded.recorded_at > records.opened_at
),

combined as (
    select * from recorded
    union all
    select * from inferred
),

sequenced as (
    select
        ticket_key,
        cast(row_number() over (
            partition by ticket_key order by recorded_at, source_sequence nulls first
        ) as integer) as event_sequence,
        -- what was written before the opening says how the ticket stood when it opened
        case when recorded_at < opened_at then opened_at else recorded_at end as event_at,
        recorded_at,
        nullif(ticket_state, 'unknown') as known_state,
        source_state,
        priority,
        service_code,
        configuration_item_code,
        contract_code,
        team_code,
        assignment_group_name,
        assigned_employee_number,
        inferred_reason is not null as is_inferred,
        inferred_reason,
        source_row_count,
        batch_id
    from combined
),

-- a state the mapping does not know says nothing: the ticket keeps the state it had
carried as (
    select
        *,
        last_value(known_state ignore nulls) over (
            partition by ticket_key
            order by event_sequence
            rows between unbounded preceding and current row
        ) as carried_state
    from sequenced
),

final as (
    select
        ticket_ids.ticket_id,
        carried.ticket_key,
        carried.event_sequence,
        carried.event_at,
        carried.recorded_at,
        coalesce(carried.carried_state, 'unknown') as ticket_state,
        carried.known_state is null as is_state_carried,
        carried.source_state,
        carried.priority,
        carried.service_code,
        carried.contract_code,
        carried.configuration_item_code,
        coalesce(carried.service_code, '')
        || coalesce('/' || named_items.configuration_item_code, '') as exclusion_scope_code,
        carried.team_code,
        carried.assignment_group_name,
        carried.assigned_employee_number,
        carried.is_inferred,
        carried.inferred_reason,
        carried.source_row_count,
        carried.batch_id
    from carried
    inner join ticket_ids on carried.ticket_key = ticket_ids.ticket_key
    left join named_items on carried.configuration_item_code = named_items.configuration_item_code
)

select * from final
