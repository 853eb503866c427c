with definitions as (
    select * from {{ ref('int_slt_definition') }}
),

conditions as (
    select * from {{ ref('slt_condition') }}
),

clauses as (
    select
        slt_code,
        slt_version,
        condition,
        clause,
        {{ string_list(
            "field || case operator when 'is' then ' is ' else ' is not ' end || value", 'field, operator, value'
        ) }} as clause_in_words
    from conditions
    group by slt_code, slt_version, condition, clause
),

worded as (
    select
        slt_code,
        slt_version,
        condition,
        {{ string_list("'(' || clause_in_words || ')'", 'clause') }} as condition_in_words
    from clauses
    group by slt_code, slt_version, condition
),

by_definition as (
    select
        slt_code,
        slt_version,
        max(case when condition = 'start' then condition_in_words end) as start_condition,
        max(case when condition = 'stop' then condition_in_words end) as stop_condition,
        max(case when condition = 'pause' then condition_in_words end) as pause_condition,
        max(case when condition = 'resume' then condition_in_words end) as resume_condition,
        max(case when condition = 'cancel' then condition_in_words end) as cancel_condition,
        max(case when condition = 'reset' then condition_in_words end) as reset_condition
    from worded
    group by slt_code, slt_version
),

final as (
    select
        cast(definitions.slt_code as varchar) as slt_code,
        cast(definitions.slt_version as integer) as slt_version,
        cast(definitions.slt_name as varchar) as slt_name,
        cast(definitions.source_system as varchar) as source_system,
        cast(definitions.phase as varchar) as phase,
        cast(definitions.exclusion_audience as varchar) as audience,
        cast(definitions.is_attachable as boolean) as is_in_use,
        cast(definitions.refusal_reason as varchar) as refusal_reason,
        cast(by_definition.start_condition as varchar) as start_condition,
        cast(by_definition.stop_condition as varchar) as stop_condition,
        cast(by_definition.pause_condition as varchar) as pause_condition,
        cast(by_definition.resume_condition as varchar) as resume_condition,
        cast(by_definition.cancel_condition as varchar) as cancel_condition,
        cast(by_definition.reset_condition as varchar) as reset_condition,
        cast(definitions.reopen_policy as varchar) as reopen_policy,
        cast(definitions.target_policy as varchar) as target_policy,
        cast(definitions.calendar_policy as varchar) as calendar_policy,
        cast(definitions.resume_policy as varchar) as resume_policy,
        cast(definitions.is_attached_when_stopped as boolean) as is_attached_when_stopped,
        cast(definitions.is_retroactive_start as boolean) as is_retroactive_start,
        cast(definitions.is_retroactive_pause as boolean) as is_retroactive_pause,
        cast(definitions.at_risk_share as decimal(18, 6)) as at_risk_share,
        cast(definitions.effective_from as date) as effective_from,
        cast(definitions.effective_to as date) as effective_to
    from definitions
    left join by_definition
        on
            definitions.slt_code = by_definition.slt_code
            and definitions.slt_version = by_definition.slt_version
)

select * from final
