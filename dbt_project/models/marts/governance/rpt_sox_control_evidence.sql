-- Every payout trigger, the controls that cover it and the evidence of each control: what holds, what does not, since
-- when, and who must act.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

triggers as (
    select * from {{ ref('int_payout_trigger') }}
),

controls as (
    select * from {{ ref('sox_control') }}
),

mappings as (
    select * from {{ ref('sox_control_trigger') }}
),

named_evidence as (
    select * from {{ ref('sox_control_evidence') }}
),

evidence as (
    select * from {{ ref('int_evidence') }}
),

mapped as (
    select
        mappings.control_code,
        mappings.trigger_type,
        mappings.trigger_code as mapped_pattern,
        triggers.trigger_code
    from mappings
    left join triggers
        on
            mappings.trigger_type = triggers.trigger_type
            and {{ name_fits('triggers.trigger_code', 'mappings.trigger_code') }}
),

-- two patterns of one control may find the same trigger
covered as (
    select
        control_code,
        trigger_type,
        coalesce(trigger_code, mapped_pattern) as trigger_code,
        trigger_code is not null as is_trigger_known
    from mapped
    group by control_code, trigger_type, coalesce(trigger_code, mapped_pattern), trigger_code is not null
),

paired as (
    select
        control_code,
        trigger_type,
        trigger_code,
        is_trigger_known
    from covered

    union all

    select
        cast(null as varchar) as control_code,
        triggers.trigger_type,
        triggers.trigger_code,
        true as is_trigger_known
    from triggers
    left join covered
        on triggers.trigger_type = covered.trigger_type and triggers.trigger_code = covered.trigger_code
    where covered.control_code is null
),

joined as (
    select
        paired.trigger_type,
        paired.trigger_code,
        paired.is_trigger_known,
        paired.control_code,
        controls.control_name,
        controls.risk,
        controls.assertion,
        controls.owner_role_code,
        controls.frequency,
        controls.evidence_within_days,
        controls.effective_from,
        controls.effective_to,
        named_evidence.evidence_kind,
        named_evidence.evidence_name,
        evidence.evidence_name is not null as is_evidence_known,
        evidence.is_blocking,
        evidence.last_outcome,
        evidence.last_judged_at,
        evidence.last_passed_at,
        evidence.failing_since_at,
        run_context.as_of_at
    from paired
    cross join run_context
    left join controls on paired.control_code = controls.control_code
    -- a trigger that does not exist needs no evidence: it is told once
    left join named_evidence on paired.control_code = named_evidence.control_code and paired.is_trigger_known
    left join evidence
        on
            named_evidence.evidence_kind = evidence.evidence_kind
            and named_evidence.evidence_name = evidence.evidence_name
),

judged as (
    select
        *,
        case
            when control_code is null then 'trigger_without_control'
            when not is_trigger_known then 'trigger_unknown'
            when
                cast(as_of_at as date) < effective_from
                or cast(as_of_at as date) > coalesce(effective_to, date '9999-12-31')
                then 'control_not_in_force'
            when evidence_name is null then 'control_without_evidence'
            when not is_evidence_known then 'evidence_unknown'
            when last_outcome is null then 'evidence_never_judged'
            when last_outcome <> 'passed' then 'evidence_failed'
            when {{ day_count('last_passed_at', 'as_of_at') }} > evidence_within_days then 'evidence_stale'
            else 'holds'
        end as finding
    from joined
),

final as (
    select
        cast(
            {{ md5_of(['trigger_type', 'trigger_code', 'control_code', 'evidence_kind', 'evidence_name']) }} as varchar
        ) as evidence_key,
        cast(trigger_type as varchar) as trigger_type,
        cast(trigger_code as varchar) as trigger_code,
        cast(
            max(case when finding = 'holds' then 1 else 0 end) over (partition by trigger_type, trigger_code) = 1
            as boolean
        ) as is_trigger_covered,
        cast(control_code as varchar) as control_code,
        cast(control_name as varchar) as control_name,
        cast(risk as varchar) as risk,
        cast(assertion as varchar) as assertion,
        cast(frequency as varchar) as frequency,
        cast(evidence_kind as varchar) as evidence_kind,
        cast(evidence_name as varchar) as evidence_name,
        cast(is_blocking as boolean) as is_blocking,
        cast(last_outcome as varchar) as last_outcome,
        cast(last_judged_at as timestamp) as last_judged_at,
        cast(last_passed_at as timestamp) as last_passed_at,
        cast(finding as varchar) as finding,
        cast(finding = 'holds' as boolean) as is_holding,
        cast(
            case finding
                when 'trigger_unknown' then effective_from
                when 'control_not_in_force'
                    then
                        case
                            when cast(as_of_at as date) < effective_from then effective_from
                            else {{ add_days('effective_to', 1) }}
                        end
                when 'control_without_evidence' then effective_from
                when 'evidence_unknown' then effective_from
                when 'evidence_never_judged' then effective_from
                when 'evidence_failed' then cast(failing_since_at as date)
                when 'evidence_stale'
                    then {{ add_days('cast(last_passed_at as date)', 'evidence_within_days + 1') }}
            end as date
        ) as since_on,
        cast(
            case when finding <> 'holds' then coalesce(owner_role_code, 'controller') end as varchar
        ) as act_role_code
    from judged
)

select * from final
