-- Each practice and clause with the models and checks that serve it, and the gaps.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

controls as (
    select * from {{ ref('framework_control') }}
),

named_evidence as (
    select * from {{ ref('framework_evidence') }}
),

nodes as (
    select * from {{ ref('int_manifest_node') }}
    where node_type = 'model'
),

evidence as (
    select * from {{ ref('int_evidence') }}
),

known as (
    select
        'model' as evidence_kind,
        node_name as evidence_name,
        cast(null as varchar) as last_outcome,
        cast(null as timestamp) as last_judged_at,
        cast(null as timestamp) as failing_since_at
    from nodes

    union all

    select
        evidence_kind,
        evidence_name,
        last_outcome,
        last_judged_at,
        failing_since_at
    from evidence
),

joined as (
    select
        controls.framework,
        controls.control_ref,
        controls.title,
        controls.is_applicable,
        controls.owner_role_code,
        named_evidence.evidence_kind,
        named_evidence.evidence_name,
        known.evidence_name is not null as is_evidence_known,
        known.last_outcome,
        known.last_judged_at,
        known.failing_since_at,
        run_context.as_of_at
    from controls
    cross join run_context
    left join named_evidence
        on controls.framework = named_evidence.framework and controls.control_ref = named_evidence.control_ref
    left join known
        on
            named_evidence.evidence_kind = known.evidence_kind
            and named_evidence.evidence_name = known.evidence_name
),

judged as (
    select
        *,
        case
            when not is_applicable then 'not_applicable'
            when evidence_name is null then 'no_evidence'
            when not is_evidence_known then 'evidence_unknown'
            when evidence_kind <> 'model' and last_outcome is null then 'evidence_never_judged'
            when evidence_kind <> 'model' and last_outcome <> 'passed' then 'evidence_failed'
            else 'holds'
        end as finding
    from joined
),

final as (
    select
        cast({{ md5_of(['framework', 'control_ref', 'evidence_kind', 'evidence_name']) }} as varchar) as coverage_key,
        cast(framework as varchar) as framework,
        cast(control_ref as varchar) as control_ref,
        cast(title as varchar) as title,
        cast(
            max(case when finding = 'holds' then 1 else 0 end) over (partition by framework, control_ref) = 1 as boolean
        ) as is_covered,
        cast(evidence_kind as varchar) as evidence_kind,
        cast(evidence_name as varchar) as evidence_name,
        cast(last_outcome as varchar) as last_outcome,
        cast(last_judged_at as timestamp) as last_judged_at,
        cast(finding as varchar) as finding,
        cast(case when finding = 'evidence_failed' then failing_since_at end as timestamp) as failing_since_at,
        cast(
            case when finding not in ('holds', 'not_applicable') then owner_role_code end as varchar
        ) as act_role_code
    from judged
)

select * from final
