-- Every change request with what it really changes: its version against the one it would follow, and whether a plan
-- pays by the metric. A request that declares less has no effect, whatever was voted for it.
with recursive
metric_request as (
    select * from {{ ref('int_metric_request') }}
),

metric_definition as (
    select * from {{ ref('int_metric_definition') }}
),

plan_component as (
    select * from {{ ref('plan_component') }}
),

plan_activation as (
    select * from {{ ref('int_plan_activation') }}
    where is_activated
),

-- a plan counts that pays on the day the change is proposed for, or was signed before it was asked for: one signed
-- later took the metric as it was
paid_request as (
    select distinct metric_request.change_request_id
    from metric_request
    inner join plan_component on metric_request.metric_code = plan_component.metric_code
    inner join plan_activation
        on
            plan_component.plan_code = plan_activation.plan_code
            and plan_component.plan_version = plan_activation.plan_version
            and (
                plan_activation.effective_from <= metric_request.proposed_from
                or plan_activation.signed_on <= metric_request.requested_on
            )
            and coalesce(plan_activation.effective_to, date '9999-12-31') >= metric_request.proposed_from
),

request as (
    select
        metric_request.*,
        paid_request.change_request_id is not null as is_kpi_paid,
        paid_request.change_request_id is not null and not metric_request.is_kpi_affected as is_kpi_understated
    from metric_request
    left join paid_request on metric_request.change_request_id = paid_request.change_request_id
),

difference as (
    select
        later.metric_code,
        later.metric_version,
        earlier.metric_version as earlier_version,
        case
            when {{ any_differs(formula_columns(), 'later', 'earlier') }}
                then 'formula'
            when {{ any_differs(threshold_columns(), 'later', 'earlier') }}
                then 'threshold'
            else 'categorisation'
        end as change_kind
    from metric_definition as later
    inner join metric_definition as earlier
        on
            later.metric_code = earlier.metric_code
            and later.metric_version > earlier.metric_version
),

-- the first day a version is no longer, where the metric is retired
retirement as (
    select
        metric_definition.metric_code,
        metric_definition.metric_version,
        min(request.effective_from) as retired_from
    from metric_definition
    inner join request
        on
            metric_definition.metric_code = request.metric_code
            and metric_definition.metric_version <= request.metric_version
    where request.change_kind = 'retirement' and request.is_passed and not request.is_kpi_understated
    group by metric_definition.metric_code, metric_definition.metric_version
),

proposal as (
    select
        request.change_request_id,
        request.metric_code,
        request.metric_version,
        request.change_kind,
        request.requested_on,
        request.is_defined,
        request.is_passed and not request.is_kpi_understated as is_let_through,
        coalesce(request.effective_from, request.proposed_from) as starts_on,
        nullif(
            least(
                coalesce(retirement.retired_from, date '9999-12-31'),
                coalesce({{ add_days('request.proposed_to', 1) }}, date '9999-12-31')
            ),
            date '9999-12-31'
        ) as ends_before,
        dense_rank() over (partition by request.metric_code order by request.metric_version) as step
    from request
    left join retirement
        on
            request.metric_code = retirement.metric_code
            and request.metric_version = retirement.metric_version
    where request.change_kind <> 'retirement'
),

-- version by version, because what a version changes depends on which of those before it was let through; every step
-- carries on all that was judged, and begins from a version 0 that is none
walk as (
    select distinct
        metric_code,
        cast(0 as bigint) as step,
        cast(null as varchar) as change_request_id,
        0 as metric_version,
        cast(null as date) as starts_on,
        cast(null as date) as ends_before,
        cast(null as integer) as follows_version,
        cast(null as varchar) as derived_change_kind,
        false as is_kind_understated,
        false as is_taken,
        cast(0 as bigint) as judged_in_step
    from proposal

    union all

    (
        with following as (
            select
                proposal.change_request_id,
                proposal.metric_code,
                proposal.metric_version,
                proposal.change_kind,
                proposal.requested_on,
                proposal.is_defined,
                proposal.is_let_through,
                proposal.starts_on,
                proposal.ends_before,
                proposal.step,
                max(
                    case
                        when
                            walk.is_taken
                            and walk.starts_on < proposal.starts_on
                            and coalesce(walk.ends_before > proposal.starts_on, true)
                            then walk.metric_version
                    end
                ) as follows_version
            from proposal
            inner join walk
                on
                    proposal.metric_code = walk.metric_code
                    and proposal.step = walk.step + 1
            group by all
        ),

        derived as (
            select
                following.*,
                case
                    when not following.is_defined then null
                    when following.follows_version is not null then difference.change_kind
                    when following.metric_version = 1 then 'new'
                    else 'formula'
                end as derived_change_kind
            from following
            left join difference
                on
                    following.metric_code = difference.metric_code
                    and following.metric_version = difference.metric_version
                    and following.follows_version = difference.earlier_version
        ),

        weighed as (
            select
                *,
                coalesce(
                    case change_kind
                        when 'new' then derived_change_kind <> 'new'
                        when 'threshold' then derived_change_kind in ('new', 'formula')
                        when 'categorisation' then derived_change_kind <> 'categorisation'
                    end,
                    false
                ) as is_kind_understated
            from derived
        )

        select
            metric_code,
            step,
            change_request_id,
            metric_version,
            starts_on,
            ends_before,
            follows_version,
            derived_change_kind,
            is_kind_understated,
            -- of several requests for a version the one that passed first is the one that holds
            is_let_through and not is_kind_understated and row_number() over (
                partition by metric_code, metric_version
                order by
                    case when is_let_through and not is_kind_understated then 0 else 1 end asc,
                    starts_on asc,
                    requested_on desc,
                    change_request_id asc
            ) = 1 as is_taken,
            step as judged_in_step
        from weighed

        union all

        select
            walk.metric_code,
            walk.step + 1 as step,
            walk.change_request_id,
            walk.metric_version,
            walk.starts_on,
            walk.ends_before,
            walk.follows_version,
            walk.derived_change_kind,
            walk.is_kind_understated,
            walk.is_taken,
            walk.judged_in_step
        from walk
        where exists (
                select 1
                from proposal
                where proposal.metric_code = walk.metric_code and proposal.step = walk.step + 1
            )
    )
),

judged as (
    select
        request.*,
        walk.follows_version,
        case when request.change_kind = 'retirement' then 'retirement' else walk.derived_change_kind end
            as derived_change_kind,
        concat_ws(
            ', ',
            nullif(request.gate_faults, ''),
            case when walk.is_kind_understated then 'kind_understated' end,
            case when request.is_kpi_understated then 'kpi_understated' end
        ) as all_faults
    from request
    left join walk
        on
            request.change_request_id = walk.change_request_id
            and walk.step = walk.judged_in_step
),

final as (
    select
        change_request_id,
        metric_code,
        metric_version,
        change_kind,
        derived_change_kind,
        follows_version,
        is_kpi_affected,
        is_kpi_paid,
        requested_by,
        requested_on,
        request_counts_from_at,
        proposed_from,
        proposed_to,
        start_grain,
        is_defined,
        is_ruled,
        min_vote_count,
        vote_count,
        for_count,
        decided_count,
        refused_vote_count,
        refused_votes,
        majority_share,
        missing_functions,
        quorum_at,
        functions_at,
        board_decided_at,
        notice_on,
        notice_counts_from_on,
        notice_days,
        notice_ends_on,
        is_impact_assessment_required,
        assessment_count,
        assessed_at,
        is_legal_required,
        legal_at,
        legal_faults,
        is_works_council_required,
        works_council_at,
        works_council_faults,
        all_faults as gate_faults,
        all_faults = '' as is_passed,
        case when all_faults = '' then gate_on end as gate_on,
        case when all_faults = '' then effective_from end as effective_from
    from judged
)

select * from final
