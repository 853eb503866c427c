-- A source system with more definitions in use than the telescoped clock has places for: those beyond are measured by
-- their intervals, at many times the cost. Raise the variable slt_slot_count.
select
    source_system,
    max(slot_number) as definition_count
from {{ ref('int_slt_definition') }}
group by source_system
having max(slot_number) > {{ slt_slot_count() }}
