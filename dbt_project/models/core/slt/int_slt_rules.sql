with groups as (
    select * from {{ ref('stg_servicenow__groups') }}
),

services as (
    select * from {{ ref('stg_servicenow__services') }}
),

contracts as (
    select * from {{ ref('stg_servicenow__contracts') }}
),

run_context as (
    select as_of_at from {{ ref('int_run_context') }}
),

names as (
    select
        'group' as kind,
        group_id as record_id,
        {{ md5_of(['group_id', 'group_name']) }} as content
    from groups
    union all
    select
        'service' as kind,
        service_id as record_id,
        {{ md5_of(['service_id', 'service_name', 'service_code']) }} as content
    from services
    union all
    select
        'contract' as kind,
        contract_id as record_id,
        {{ md5_of(['contract_id', 'contract_code']) }} as content
    from contracts
),

summed as (
    select coalesce({{ string_list('content', 'kind, record_id') }}, '') as contents from names
),

final as (
    select
        {{ md5_of(["'" ~ clock_rules_fingerprint() ~ "'", 'summed.contents']) }} as rules_fingerprint,
        run_context.as_of_at
    from run_context
    cross join summed
)

select * from final
