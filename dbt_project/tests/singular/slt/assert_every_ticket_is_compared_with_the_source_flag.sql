-- A ticket missing from the comparison with the source's own flag.
{{ config(meta={'dagster': {'ref': {'name': 'rec_itsm_sla_flag'}}}) }}
select tickets.ticket_key
from {{ ref('int_ticket') }} as tickets
left join {{ ref('rec_itsm_sla_flag') }} as flags on tickets.ticket_key = flags.ticket_key
where flags.ticket_key is null
