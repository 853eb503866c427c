-- An SLT with a name, a policy or a set of targets of its own: nobody can compare it with the others, and whoever
-- reads it guesses. Follow a template of seeds/slt_planning/slt_template.csv, or have one added there.
{{ config(meta={'requirements': ['SLT-8.3'], 'dagster': {'ref': {'name': 'slt_definition'}}}) }}
with definitions as (
    select * from {{ ref('slt_definition') }}
),

general_targets as (
    select
        slt_code,
        slt_version,
        count(distinct priority) as priority_count
    from {{ ref('slt_target') }}
    where coalesce(contract_code, business_unit_code, service_code, starts_within_calendar_code, '') = ''
    group by slt_code, slt_version
),

templates as (
    select * from {{ ref('slt_template') }}
),

judged as (
    select
        definitions.slt_code,
        definitions.slt_version,
        templates.template_code,
        {{ follows_pattern('definitions.slt_code', 'templates.slt_code_pattern') }} as is_code_right,
        {{ follows_pattern('definitions.slt_name', 'templates.slt_name_pattern') }} as is_name_right,
        {{ follows_pattern('definitions.reopen_policy', 'templates.allowed_reopen_policies') }}
            as is_reopen_policy_right,
        {{ follows_pattern('definitions.target_policy', 'templates.allowed_target_policies') }}
            as is_target_policy_right,
        coalesce(general_targets.priority_count, 0) >= templates.required_priority_count as has_its_targets,
        definitions.at_risk_share between templates.minimum_at_risk_share and templates.maximum_at_risk_share
            as is_at_risk_share_right
    from definitions
    left join templates
        on
            definitions.phase = templates.phase
            and definitions.effective_from >= templates.effective_from
            and definitions.effective_from <= coalesce(templates.effective_to, date '9999-12-31')
    left join general_targets
        on
            definitions.slt_code = general_targets.slt_code
            and definitions.slt_version = general_targets.slt_version
)

select *
from judged
where
    not coalesce(
        is_code_right and is_name_right and is_reopen_policy_right and is_target_policy_right
        and has_its_targets and is_at_risk_share_right,
        false
    )
