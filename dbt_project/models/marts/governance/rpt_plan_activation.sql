with activation as (
    select * from {{ ref('int_plan_activation') }}
),

approval as (
    select * from {{ ref('int_governance_approval') }}
    where register_code = 'plan_approval'
),

slt_definition as (
    select * from {{ ref('slt_definition') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

sla_signed as (
    select
        register_id as slt_code,
        subject_version as slt_version,
        min(case when is_counted then counts_from_at end) as signed_at,
        count(*) as approval_count
    from approval
    where approval_type = 'sla_definition'
    group by register_id, subject_version
),

subject as (
    select
        'plan_version' as subject_type,
        plan_code as subject_code,
        plan_version as subject_version,
        country_code,
        proposed_from,
        demanded_approvals,
        signed_approvals,
        signed_on,
        is_activated,
        effective_from,
        effective_to,
        refusal_reasons
    from activation

    union all

    select
        'sla_definition' as subject_type,
        slt_definition.slt_code as subject_code,
        slt_definition.slt_version as subject_version,
        '*' as country_code,
        slt_definition.effective_from as proposed_from,
        'sla_definition' as demanded_approvals,
        case when sla_signed.signed_at is not null then 'sla_definition' end as signed_approvals,
        {{ first_day_from('sla_signed.signed_at') }} as signed_on,
        sla_signed.signed_at is not null as is_activated,
        greatest(slt_definition.effective_from, {{ first_day_from('sla_signed.signed_at') }}) as effective_from,
        slt_definition.effective_to,
        case
            when sla_signed.slt_code is null then 'sla_definition_missing'
            when sla_signed.signed_at is null then 'sla_definition_refused'
        end as refusal_reasons
    from slt_definition
    left join sla_signed
        on
            slt_definition.slt_code = sla_signed.slt_code
            and slt_definition.slt_version = sla_signed.slt_version
),

refused as (
    select
        subject.subject_type,
        subject.subject_code,
        subject.subject_version,
        subject.country_code,
        {{ string_list(
            "approval.approval_id || ' ' || approval.approval_type || ': ' || approval.refusal_reasons",
            'approval.approval_id'
        ) }} as refused_approvals
    from subject
    inner join approval
        on
            subject.subject_code = approval.register_id
            and subject.subject_version = approval.subject_version
            and (subject.subject_type = 'sla_definition') = (approval.approval_type = 'sla_definition')
            and (approval.country_code is null or approval.country_code = subject.country_code)
    where not approval.is_counted
    group by subject.subject_type, subject.subject_code, subject.subject_version, subject.country_code
),

final as (
    select
        cast(subject.subject_type as varchar) as subject_type,
        cast(subject.subject_code as varchar) as subject_code,
        cast(subject.subject_version as integer) as subject_version,
        cast(subject.country_code as varchar) as country_code,
        cast(subject.proposed_from as date) as proposed_effective_from,
        cast(subject.demanded_approvals as varchar) as demanded_approvals,
        cast(subject.signed_approvals as varchar) as signed_approvals,
        cast(refused.refused_approvals as varchar) as refused_approvals,
        cast(subject.signed_on as date) as signed_on,
        cast(subject.is_activated as boolean) as is_activated,
        cast(case when subject.is_activated then subject.effective_from end as date) as effective_from,
        cast(subject.effective_to as date) as effective_to,
        cast(
            case
                when subject.is_activated then {{ day_count('subject.proposed_from', 'subject.effective_from') }}
            end as integer
        ) as delay_days,
        cast(subject.refusal_reasons as varchar) as refusal_reasons,
        cast(run_context.as_of_at as timestamp) as as_of_at
    from subject
    cross join run_context
    left join refused
        on
            subject.subject_type = refused.subject_type
            and subject.subject_code = refused.subject_code
            and subject.subject_version = refused.subject_version
            and subject.country_code = refused.country_code
)

select * from final
