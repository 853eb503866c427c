-- Tickets or events lost or gained between raw and mart without a reason.
select
    source_system,
    opened_month,
    difference_count,
    unexplained_count,
    unexplained_event_count,
    explanation
from {{ ref('rec_itsm_to_mart') }}
where
    unexplained_count <> 0
    or unexplained_event_count <> 0
    or difference_count <> deleted_count + no_target_count + after_as_of_count
