-- Every vote on an adjustment that is known at the run's instant, and whether it counts.
with votes as (
    select * from {{ ref('score_adjustment_vote') }}
),

requests as (
    select * from {{ ref('score_adjustment') }}
),

rules as (
    select * from {{ ref('adjustment_rule') }}
),

members as (
    select * from {{ ref('governance_member') }}
),

interests as (
    select * from {{ ref('int_adjustment_interest') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

known as (
    select
        votes.adjustment_id,
        votes.employee_number,
        votes.vote,
        votes.voted_at,
        votes.recorded_at,
        requests.requested_by,
        requests.requested_at,
        rules.board_code,
        {{ add_days(
            "case requests.period_grain when 'month' then " ~ add_months('requests.period_start_on', 1)
                ~ " else " ~ add_months('requests.period_start_on', 3) ~ " end",
            'rules.window_days'
        ) }} as window_end_on
    from votes
    inner join requests on votes.adjustment_id = requests.adjustment_id
    cross join run_context
    left join rules
        on
            requests.adjustment_type = rules.adjustment_type
            and cast(requests.requested_at as date) >= rules.effective_from
            and cast(requests.requested_at as date) <= coalesce(rules.effective_to, date '9999-12-31')
    where votes.recorded_at <= run_context.as_of_at and requests.recorded_at <= run_context.as_of_at
),

seated as (
    select distinct
        known.adjustment_id,
        known.employee_number
    from known
    inner join members
        on
            known.employee_number = members.employee_number
            and known.board_code = members.body_code
            and {{ in_office('members', 'cast(known.voted_at as date)', 'known.recorded_at') }}
),

interested as (
    select distinct
        adjustment_id,
        employee_number
    from interests
),

judged as (
    select
        known.*,
        concat_ws(
            ', ',
            case when seated.employee_number is null then 'not_on_the_board' end,
            case when known.employee_number = known.requested_by then 'voter_is_requester' end,
            case when interested.employee_number is not null then 'voter_is_interested' end,
            case when known.voted_at < known.requested_at then 'voted_before_requested' end,
            case when known.recorded_at < known.voted_at then 'recorded_before_voted' end,
            case when cast(known.recorded_at as date) < known.window_end_on then null else 'recorded_after_window' end
        ) as refusal_reasons
    from known
    left join seated
        on
            known.adjustment_id = seated.adjustment_id
            and known.employee_number = seated.employee_number
    left join interested
        on
            known.adjustment_id = interested.adjustment_id
            and known.employee_number = interested.employee_number
),

final as (
    select
        adjustment_id,
        employee_number,
        vote,
        voted_at,
        recorded_at,
        refusal_reasons = '' as is_counted,
        nullif(refusal_reasons, '') as refusal_reasons
    from judged
)

select * from final
