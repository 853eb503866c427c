-- A definition whose clock can never attach or never ends a pause: it would measure nothing. Mend its conditions
-- in the seed slt_condition as the reason says, or take it out of force.
select
    slt_code,
    slt_version,
    refusal_reason
from {{ ref('int_slt_definition') }}
where not is_attachable
