-- A ticket of unknown priority would weigh nothing in a weighted share and vanish from pay unseen.
select
    metric_result_key,
    evidence_key
from {{ ref('fct_metric_evidence') }}
where evidence_type = 'ticket' and evidence_weight <= 0
