-- A ticket whose comparison with the source's flag neither agrees nor says why, or does both.
select
    ticket_key,
    is_agreeing,
    disagreement_reason
from {{ ref('rec_itsm_sla_flag') }}
where coalesce(is_agreeing, false) = (disagreement_reason is not null)
