-- A canonical state that can occur under an SLT and that none of its conditions names: nobody has said what it
-- does to the clock. Name it in the seed slt_condition.
{{ config(meta={'dagster': {'ref': {'name': 'slt_condition'}}}) }}
select
    definitions.slt_code,
    definitions.slt_version,
    ticket_states.ticket_state
from {{ ref('slt_definition') }} as definitions
inner join {{ ref('ticket_state') }} as ticket_states
    on definitions.source_system = ticket_states.source_system
left join {{ ref('slt_condition') }} as conditions
    on
        definitions.slt_code = conditions.slt_code
        and definitions.slt_version = conditions.slt_version
        and conditions.field = 'ticket_state'
        and ticket_states.ticket_state = conditions.value
where conditions.value is null
