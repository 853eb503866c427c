with metric_change_request as (
    select * from {{ ref('metric_change_request') }}
),

change as (
    select * from {{ ref('int_metric_change') }}
),

activation as (
    select * from {{ ref('int_metric_activation') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

judged as (
    select
        coalesce(change.metric_code, activation.metric_code) as metric_code,
        coalesce(change.metric_version, activation.metric_version) as metric_version,
        change.change_request_id,
        change.change_kind,
        change.derived_change_kind,
        change.is_kpi_affected,
        change.is_kpi_paid,
        change.requested_by,
        change.requested_on,
        coalesce(change.proposed_from, activation.proposed_from) as proposed_from,
        change.min_vote_count,
        change.vote_count,
        change.for_count,
        change.decided_count,
        change.refused_vote_count,
        change.refused_votes,
        change.missing_functions,
        change.quorum_at,
        change.functions_at,
        change.board_decided_at,
        change.notice_days,
        change.notice_counts_from_on,
        change.notice_ends_on,
        change.is_impact_assessment_required,
        change.assessed_at,
        change.is_legal_required,
        change.legal_at,
        change.is_works_council_required,
        change.works_council_at,
        change.gate_on,
        case
            when change.change_kind = 'retirement' then change.is_passed
            else coalesce(activation.is_activated and activation.change_request_id = change.change_request_id, false)
        end as is_activated,
        case when change.change_kind = 'retirement' then change.effective_from else activation.effective_from end
            as effective_from,
        case when coalesce(change.change_kind, '') <> 'retirement' then activation.effective_to end as effective_to,
        case
            when change.change_request_id is null or activation.change_request_id = change.change_request_id
                then activation.refusal_reasons
            when change.gate_faults <> '' then change.gate_faults
            when coalesce(change.change_kind, '') <> 'retirement' then 'decided_by_another_request'
        end as refusal_reasons
    from change
    full outer join activation
        on
            change.metric_code = activation.metric_code
            and change.metric_version = activation.metric_version
            and (
                change.change_kind <> 'retirement' or activation.change_request_id = change.change_request_id
            )
),

-- a version that only a retirement names still has no request of its own
listed as (
    select *
    from judged
    where change_request_id is not null or refusal_reasons is not null
),

final as (
    select
        cast(listed.metric_code as varchar) as metric_code,
        cast(listed.metric_version as integer) as metric_version,
        cast(coalesce(listed.change_request_id, '') as varchar) as change_request_id,
        cast(listed.change_kind as varchar) as change_kind,
        cast(listed.derived_change_kind as varchar) as derived_change_kind,
        cast(metric_change_request.change_summary as varchar) as change_summary,
        cast(listed.requested_by as varchar) as requested_by,
        cast(listed.requested_on as date) as requested_on,
        cast(listed.proposed_from as date) as proposed_effective_from,
        cast(listed.is_kpi_affected as boolean) as is_kpi_affected,
        cast(listed.is_kpi_paid as boolean) as is_kpi_paid,
        cast(listed.min_vote_count as integer) as min_vote_count,
        cast(listed.vote_count as integer) as vote_count,
        cast(listed.for_count as integer) as for_count,
        cast(listed.decided_count as integer) as decided_count,
        cast(listed.refused_vote_count as integer) as refused_vote_count,
        cast(listed.refused_votes as varchar) as refused_votes,
        cast(listed.missing_functions as varchar) as missing_functions,
        cast(case when listed.quorum_at is null then 'missing' else 'held' end as varchar) as quorum_status,
        cast(listed.quorum_at as timestamp) as quorum_at,
        cast(
            case
                when listed.change_request_id is null or listed.missing_functions is not null then 'missing'
                else 'held'
            end as varchar
        ) as function_status,
        cast(listed.functions_at as timestamp) as function_at,
        cast(case when listed.board_decided_at is null then 'missing' else 'held' end as varchar) as majority_status,
        cast(listed.board_decided_at as timestamp) as majority_at,
        cast(
            case
                when listed.notice_days = 0 then 'not_required'
                when listed.notice_ends_on is null then 'missing'
                else 'held'
            end as varchar
        ) as notice_status,
        cast(listed.notice_counts_from_on as date) as notice_on,
        cast(listed.notice_ends_on as date) as notice_ends_on,
        {% for condition, needed, held in [
            ('impact_assessment', 'is_impact_assessment_required', 'assessed_at'),
            ('legal', 'is_legal_required', 'legal_at'),
            ('works_council', 'is_works_council_required', 'works_council_at'),
        ] -%}
        cast(
            case
                when not listed.{{ needed }} then 'not_required'
                when listed.{{ held }} is null then 'missing'
                else 'held'
            end as varchar
        ) as {{ condition }}_status,
        cast(listed.{{ held }} as timestamp) as {{ condition }}_at,
        {% endfor -%}
        cast(listed.gate_on as date) as gate_on,
        cast(
            case
                when not listed.is_activated then 'refused'
                when listed.change_kind = 'retirement' then 'retired'
                when listed.effective_from > listed.proposed_from then 'delayed'
                else 'activated'
            end as varchar
        ) as activation_status,
        cast(listed.is_activated as boolean) as is_activated,
        cast(
            case
                when listed.is_activated then {{ day_count('listed.proposed_from', 'listed.effective_from') }}
            end as integer
        ) as delay_days,
        cast(case when listed.is_activated then listed.effective_from end as date) as effective_from,
        cast(case when listed.is_activated then listed.effective_to end as date) as effective_to,
        cast(listed.refusal_reasons as varchar) as refusal_reasons,
        cast(run_context.as_of_at as timestamp) as as_of_at
    from listed
    cross join run_context
    left join metric_change_request on listed.change_request_id = metric_change_request.change_request_id
)

select * from final
