-- Parts of a shortfall that do not sum to it leave somebody unaccountable, or blame twice.
{{ config(meta={'requirements': ['OPS-6.1']}) }}
select
    composite_key,
    shortfall_share,
    sum(owner_shortfall_share) as owner_shortfall_share,
    sum(owner_share) as owner_share
from {{ ref('fct_composite_component') }}
group by composite_key, shortfall_share
having sum(owner_shortfall_share) is distinct from shortfall_share or sum(owner_share) <> 1
