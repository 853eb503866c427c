-- More situations than a mark (an instant and a situation in one number) can tell apart.
select max(situation_id) as situation_count
from {{ ref('int_ticket_situation') }}
having max(situation_id) >= 1048576
