-- A cent lost or gained in sharing a penalty is a cent nobody bears.
{{ config(meta={'requirements': ['OPS-6.1', 'LTI-6.2'], 'dagster': {'ref': {'name': 'fct_penalty_share'}}}) }}
with penalty as (
    select * from {{ ref('penalty_share') }}
),

shared as (
    select
        penalty_code,
        sum(shared_amount) as shared_amount,
        min(shared_amount) as smallest_amount
    from {{ ref('fct_penalty_share') }}
    group by penalty_code
)

select
    penalty.penalty_code,
    penalty.penalty_amount,
    shared.shared_amount
from penalty
left join shared on penalty.penalty_code = shared.penalty_code
where penalty.penalty_amount is distinct from shared.shared_amount or shared.smallest_amount < 0
