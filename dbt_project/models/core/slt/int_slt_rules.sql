with definitions as (
    select * from {{ ref('slt_definition') }}
),

conditions as (
    select * from {{ ref('slt_condition') }}
),

targets as (
    select * from {{ ref('slt_target') }}
),

services as (
    select * from {{ ref('service') }}
),

contracts as (
    select * from {{ ref('contract') }}
),

calendars as (
    select * from {{ ref('calendar') }}
),

run_context as (
    select as_of_at from {{ ref('int_run_context') }}
),

contents as (
    select
        (select {{ rows_hash('definitions') }} from definitions) as definitions_hash,
        (select {{ rows_hash('conditions') }} from conditions) as conditions_hash,
        (select {{ rows_hash('targets') }} from targets) as targets_hash,
        (select {{ rows_hash('services') }} from services) as services_hash,
        (select {{ rows_hash('contracts') }} from contracts) as contracts_hash,
        (select {{ rows_hash('calendars') }} from calendars) as calendars_hash
),

final as (
    select
        {{ md5_of([
            "'" ~ clock_rules_fingerprint() ~ "'",
            engine_version(),
            'contents.definitions_hash',
            'contents.conditions_hash',
            'contents.targets_hash',
            'contents.services_hash',
            'contents.contracts_hash',
            'contents.calendars_hash'
        ]) }} as rules_fingerprint,
        run_context.as_of_at
    from run_context
    cross join contents
)

select * from final
