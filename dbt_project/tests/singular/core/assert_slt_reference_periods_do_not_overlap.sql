-- Two definitions or two targets in force for one ticket on one day: which of them counts would be chance.
{{ config(meta={'dagster': {'ref': {'name': 'slt_target'}}}) }}
with periods as (
    select
        'slt_definition' as seed_name,
        slt_code as period_key,
        effective_from,
        coalesce(effective_to, date '9999-12-31') as effective_to
    from {{ ref('slt_definition') }}
    union all
    select
        'slt_target' as seed_name,
        slt_code || '/' || cast(slt_version as varchar) || '/' || coalesce(contract_code, '')
        || '/' || coalesce(business_unit_code, '') || '/' || coalesce(service_code, '')
        || '/' || cast(priority as varchar) || '/' || coalesce(starts_within_calendar_code, '')
            as period_key,
        effective_from,
        coalesce(effective_to, date '9999-12-31') as effective_to
    from {{ ref('slt_target') }}
    union all
    select
        'exclusion_policy' as seed_name,
        category || '/' || audience as period_key,
        effective_from,
        coalesce(effective_to, date '9999-12-31') as effective_to
    from {{ ref('exclusion_policy') }}
    union all
    select
        'cmdb_policy' as seed_name,
        'cmdb' as period_key,
        effective_from,
        coalesce(effective_to, date '9999-12-31') as effective_to
    from {{ ref('cmdb_policy') }}
),

ordered as (
    select
        *,
        lead(effective_from) over (partition by seed_name, period_key order by effective_from) as next_from
    from periods
)

select *
from ordered
where effective_to < effective_from or next_from <= effective_to
