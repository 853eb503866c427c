-- Every change request of a metric known at the as-of instant, with each condition of the kind it says it is of: since
-- when it holds (null: it does not), and with them the first period start it may take effect on.
with metric_change_request as (
    select * from {{ ref('metric_change_request') }}
),

metric_definition as (
    select * from {{ ref('metric_definition') }}
),

activation_rule as (
    select * from {{ ref('activation_rule') }}
),

activation_rule_function as (
    select * from {{ ref('activation_rule_function') }}
),

metric_impact_assessment as (
    select * from {{ ref('metric_impact_assessment') }}
),

metric_impact_assessment_team as (
    select * from {{ ref('metric_impact_assessment_team') }}
),

team as (
    select * from {{ ref('team') }}
),

vote as (
    select * from {{ ref('int_metric_vote') }}
    where is_counted
),

refused_vote as (
    select * from {{ ref('int_metric_vote') }}
    where not is_counted
),

approval as (
    select * from {{ ref('int_governance_approval') }}
    where register_code = 'metric_change_request'
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

request as (
    select
        metric_change_request.change_request_id,
        metric_change_request.metric_code,
        metric_change_request.metric_version,
        metric_change_request.change_kind,
        metric_change_request.is_kpi_affected,
        metric_change_request.requested_by,
        metric_change_request.requested_on,
        metric_change_request.notice_on,
        {{ counts_from('metric_change_request.requested_on', 'metric_change_request.recorded_at') }}
            as request_counts_from_at,
        -- a notice entered later than its day was not one until then
        case
            when
                {{ counts_from('metric_change_request.notice_on', 'metric_change_request.notice_recorded_at') }}
                <= run_context.as_of_at
                then cast({{ counts_from(
                    'metric_change_request.notice_on', 'metric_change_request.notice_recorded_at'
                ) }} as date)
        end as notice_counts_from_on,
        -- the later of what the request and the definition say
        greatest(
            metric_change_request.proposed_from,
            coalesce(
                case when metric_change_request.change_kind <> 'retirement' then metric_definition.effective_from end,
                metric_change_request.proposed_from
            )
        ) as proposed_from,
        metric_change_request.proposed_to,
        metric_definition.metric_code is not null as is_defined,
        activation_rule.change_kind is not null as is_ruled,
        activation_rule.effective_from as rule_effective_from,
        activation_rule.min_vote_count,
        activation_rule.majority_share,
        case
            when metric_change_request.is_kpi_affected then activation_rule.notice_days
            else activation_rule.notice_days_without_kpi
        end as notice_days,
        activation_rule.is_impact_assessment_required,
        activation_rule.min_assessed_days,
        activation_rule.is_legal_required,
        activation_rule.is_works_council_required,
        activation_rule.start_grain
    from metric_change_request
    cross join run_context
    left join metric_definition
        on
            metric_change_request.metric_code = metric_definition.metric_code
            and metric_change_request.metric_version = metric_definition.metric_version
    left join activation_rule
        on
            metric_change_request.change_kind = activation_rule.change_kind
            and metric_change_request.requested_on >= activation_rule.effective_from
            and metric_change_request.requested_on <= coalesce(activation_rule.effective_to, date '9999-12-31')
    where
        {{ counts_from('metric_change_request.requested_on', 'metric_change_request.recorded_at') }}
        <= run_context.as_of_at
),

-- votes entered at one instant (the minutes of a meeting) are taken together
running as (
    select
        change_request_id,
        counts_from_at,
        count(*) over tally as vote_count,
        count(case when vote = 'for' then 1 end) over tally as for_count,
        count(case when vote in ('for', 'against') then 1 end) over tally as decided_count
    from vote
    window tally as (
        partition by change_request_id order by counts_from_at
        range between unbounded preceding and current row
    )
),

-- the vote each function is first heard with
function_heard as (
    select
        request.change_request_id,
        activation_rule_function.member_function,
        min(vote.counts_from_at) as heard_at
    from request
    inner join activation_rule_function
        on
            request.change_kind = activation_rule_function.change_kind
            and request.rule_effective_from = activation_rule_function.effective_from
    left join vote
        on
            request.change_request_id = vote.change_request_id
            and activation_rule_function.member_function = vote.member_function
    group by request.change_request_id, activation_rule_function.member_function
),

functions as (
    select
        change_request_id,
        case when count(*) = count(heard_at) then max(heard_at) end as heard_at,
        {{ string_list('case when heard_at is null then member_function end', 'member_function') }}
            as missing_functions
    from function_heard
    group by change_request_id
),

-- the board has decided with the vote that first brings quorum, functions and majority; later votes do not undo it
board as (
    select
        request.change_request_id,
        max(running.vote_count) as vote_count,
        max(running.for_count) as for_count,
        max(running.decided_count) as decided_count,
        min(case when running.vote_count >= request.min_vote_count then running.counts_from_at end) as quorum_at,
        min(
            case
                when
                    running.vote_count >= request.min_vote_count
                    and running.for_count > request.majority_share * running.decided_count
                    and (
                        functions.change_request_id is null
                        or functions.heard_at <= running.counts_from_at
                    )
                    then running.counts_from_at
            end
        ) as decided_at
    from request
    inner join running on request.change_request_id = running.change_request_id
    left join functions on request.change_request_id = functions.change_request_id
    group by request.change_request_id
),

refused_votes as (
    select
        change_request_id,
        count(*) as refused_vote_count,
        {{ string_list("vote_id || ': ' || refusal_reasons", 'vote_id') }} as refused_votes
    from refused_vote
    group by change_request_id
),

-- teams an assessment leaves out; * stands for every team
assessed as (
    select
        metric_impact_assessment.assessment_id,
        metric_impact_assessment.change_request_id,
        {{ counts_from('metric_impact_assessment.assessed_on', 'metric_impact_assessment.recorded_at') }}
            as counts_from_at,
        metric_impact_assessment.reference is not null as has_reference,
        {{ day_count(
            'metric_impact_assessment.covered_from_on', 'metric_impact_assessment.covered_to_on'
        ) }} + 1 as assessed_days,
        count(team.team_code) as team_count,
        count(case when metric_impact_assessment_team.assessment_id is not null then 1 end) as assessed_team_count
    from metric_impact_assessment
    cross join team
    left join metric_impact_assessment_team
        on
            metric_impact_assessment.assessment_id = metric_impact_assessment_team.assessment_id
            and metric_impact_assessment_team.team_code in (team.team_code, '*')
    group by
        metric_impact_assessment.assessment_id,
        metric_impact_assessment.change_request_id,
        metric_impact_assessment.assessed_on,
        metric_impact_assessment.recorded_at,
        metric_impact_assessment.reference,
        metric_impact_assessment.covered_from_on,
        metric_impact_assessment.covered_to_on
),

assessment as (
    select
        request.change_request_id,
        count(*) as assessment_count,
        min(
            case
                when
                    assessed.has_reference
                    and assessed.assessed_days >= request.min_assessed_days
                    and assessed.assessed_team_count >= assessed.team_count
                    then assessed.counts_from_at
            end
        ) as assessed_at
    from request
    inner join assessed on request.change_request_id = assessed.change_request_id
    cross join run_context
    where assessed.counts_from_at <= run_context.as_of_at
    group by request.change_request_id
),

sign_off as (
    select
        register_id as change_request_id,
    {% for kind in ['legal', 'works_council'] -%}
    min(case when approval_type = '{{ kind }}' and is_counted then counts_from_at end) as {{ kind }}_at,
        {{ string_list(
            "case when approval_type = '" ~ kind ~ "' and not is_counted then refusal_reasons end", 'approval_id'
        ) }} as {{ kind }}_faults{{ ',' if not loop.last }}
    {% endfor -%}
    from approval
    group by register_id
),

joined as (
    select
        request.*,
        coalesce(board.vote_count, 0) as vote_count,
        coalesce(board.for_count, 0) as for_count,
        coalesce(board.decided_count, 0) as decided_count,
        coalesce(refused_votes.refused_vote_count, 0) as refused_vote_count,
        refused_votes.refused_votes,
        board.quorum_at,
        functions.heard_at as functions_at,
        functions.missing_functions,
        board.decided_at as board_decided_at,
        {{ add_days('request.notice_counts_from_on', 'request.notice_days') }} as notice_ends_on,
        coalesce(assessment.assessment_count, 0) as assessment_count,
        assessment.assessed_at,
        sign_off.legal_at,
        sign_off.legal_faults,
        sign_off.works_council_at,
        sign_off.works_council_faults
    from request
    left join board on request.change_request_id = board.change_request_id
    left join functions on request.change_request_id = functions.change_request_id
    left join refused_votes on request.change_request_id = refused_votes.change_request_id
    left join assessment on request.change_request_id = assessment.change_request_id
    left join sign_off on request.change_request_id = sign_off.change_request_id
),

judged as (
    select
        joined.*,
        concat_ws(
            ', ',
            case when not is_ruled then 'rule_missing' end,
            case when not is_defined then 'definition_missing' end,
            case when is_ruled and vote_count < min_vote_count then 'quorum_not_reached' end,
            case when missing_functions is not null then 'function_missing' end,
            case
                when
                    is_ruled and board_decided_at is null
                    and not for_count > majority_share * decided_count
                    then 'majority_not_reached'
            end,
            case when is_ruled and notice_days > 0 and notice_counts_from_on is null then 'notice_missing' end,
            case
                when is_impact_assessment_required and assessed_at is null and assessment_count = 0
                    then 'impact_assessment_missing'
                when is_impact_assessment_required and assessed_at is null then 'impact_assessment_incomplete'
            end,
            case
                when is_legal_required and legal_at is null and legal_faults is null then 'legal_sign_off_missing'
                when is_legal_required and legal_at is null then 'legal_sign_off_refused'
            end,
            case
                when is_works_council_required and works_council_at is null and works_council_faults is null
                    then 'works_council_missing'
                when is_works_council_required and works_council_at is null then 'works_council_refused'
            end
        ) as gate_faults,
        {{ first_day_from("greatest(
            request_counts_from_at,
            board_decided_at,
            case when is_impact_assessment_required then assessed_at end,
            case when is_legal_required then legal_at end,
            case when is_works_council_required then works_council_at end,
            case when notice_days > 0 then cast(notice_ends_on as timestamp) end
        )") }} as gate_on
    from joined
),

final as (
    select
        change_request_id,
        metric_code,
        metric_version,
        change_kind,
        is_kpi_affected,
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
        case when notice_days > 0 then notice_ends_on end as notice_ends_on,
        is_impact_assessment_required,
        assessment_count,
        assessed_at,
        is_legal_required,
        legal_at,
        legal_faults,
        is_works_council_required,
        works_council_at,
        works_council_faults,
        gate_faults,
        gate_faults = '' as is_passed,
        case when gate_faults = '' then gate_on end as gate_on,
        case
            when gate_faults = '' then {{ period_start_from('greatest(gate_on, proposed_from)', 'start_grain') }}
        end as effective_from
    from judged
)

select * from final
