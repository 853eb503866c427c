-- Every vote known at the as-of instant, and whether it counts: of a member at that time, for a function the member
-- held, not of the requester, and only the first of a member.
with metric_board_vote as (
    select * from {{ ref('metric_board_vote') }}
),

metric_change_request as (
    select * from {{ ref('metric_change_request') }}
),

activation_rule as (
    select * from {{ ref('activation_rule') }}
),

governance_member as (
    select * from {{ ref('governance_member') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

known as (
    select
        metric_board_vote.vote_id,
        metric_board_vote.change_request_id,
        metric_board_vote.employee_number,
        metric_board_vote.member_function,
        metric_board_vote.vote,
        metric_board_vote.voted_on,
        metric_board_vote.recorded_at,
        metric_change_request.change_kind,
        metric_change_request.requested_by,
        metric_change_request.requested_on,
        activation_rule.body_code,
        {{ counts_from('metric_board_vote.voted_on', 'metric_board_vote.recorded_at') }} as counts_from_at
    from metric_board_vote
    inner join metric_change_request
        on metric_board_vote.change_request_id = metric_change_request.change_request_id
    left join activation_rule
        on
            metric_change_request.change_kind = activation_rule.change_kind
            and metric_change_request.requested_on >= activation_rule.effective_from
            and metric_change_request.requested_on <= coalesce(activation_rule.effective_to, date '9999-12-31')
    cross join run_context
    where
        {{ counts_from('metric_board_vote.voted_on', 'metric_board_vote.recorded_at') }} <= run_context.as_of_at
),

seats as (
    select
        known.vote_id,
        max(case when governance_member.member_function = known.member_function then 1 else 0 end) as holds_function
    from known
    inner join governance_member
        on
            known.employee_number = governance_member.employee_number
            and known.body_code = governance_member.body_code
            and {{ in_office('governance_member', 'known.voted_on', 'known.counts_from_at') }}
    group by known.vote_id
),

judged as (
    select
        known.*,
        concat_ws(
            ', ',
            case when coalesce(known.vote, '') not in ('for', 'against', 'abstain') then 'vote_unknown' end,
            case
                when seats.vote_id is null then 'not_a_member'
                when seats.holds_function = 0 then 'function_not_held'
            end,
            case when known.employee_number = known.requested_by then 'voter_is_requester' end,
            case when known.voted_on < known.requested_on then 'voted_before_request' end
        ) as faults
    from known
    left join seats on known.vote_id = seats.vote_id
),

-- a vote that does not count leaves the member's later one its place
ranked as (
    select
        *,
        row_number() over (
            partition by change_request_id, employee_number, faults = ''
            order by counts_from_at, vote_id
        ) as cast_number
    from judged
),

final as (
    select
        vote_id,
        change_request_id,
        employee_number,
        member_function,
        vote,
        voted_on,
        recorded_at,
        counts_from_at,
        faults = '' and cast_number = 1 as is_counted,
        case
            when faults <> '' then faults
            when cast_number > 1 then 'voted_already'
        end as refusal_reasons
    from ranked
)

select * from final
