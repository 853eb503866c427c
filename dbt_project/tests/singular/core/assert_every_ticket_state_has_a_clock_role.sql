-- A canonical state that can occur under an SLT without saying what it does to the clock. Add it to the seed
-- slt_condition.
select
    definitions.slt_code,
    ticket_states.ticket_state
from {{ ref('slt_definition') }} as definitions
inner join {{ ref('ticket_state') }} as ticket_states
    on definitions.source_system = ticket_states.source_system
left join {{ ref('slt_condition') }} as conditions
    on
        definitions.slt_code = conditions.slt_code
        and ticket_states.ticket_state = conditions.ticket_state
where conditions.clock_role is null
