-- Layers that do not multiply to the whole show a layer better or worse than it was. Each factor is rounded at the
-- ninth place, so the product may be off by a few of that place.
{{ config(meta={'requirements': ['SVC-1.5']}) }}
select
    composite_key,
    composite_adjusted_share,
    infrastructure_share,
    platform_share,
    application_share
from {{ ref('fct_composite_slt') }}
where
    structure = 'series'
    and composite_adjusted_share is not null
    and abs(
        composite_adjusted_share
        - cast(
            cast(coalesce(infrastructure_share, 1) * coalesce(platform_share, 1) as decimal(18, 12))
            * coalesce(application_share, 1) as decimal(18, 12)
        )
    ) > 0.000000005
