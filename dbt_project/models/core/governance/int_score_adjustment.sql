-- Which manual adjustments of results take effect, as far as was recorded by the run's instant, and every condition
-- that fails of those that do not.
with requests as (
    select * from {{ ref('score_adjustment') }}
),

rules as (
    select * from {{ ref('adjustment_rule') }}
),

requester_roles as (
    select * from {{ ref('adjustment_requester_role') }}
),

thresholds as (
    select * from {{ ref('approval_threshold') }}
),

designated_managers as (
    select * from {{ ref('designated_manager') }}
),

members as (
    select * from {{ ref('governance_member') }}
),

definitions as (
    select * from {{ ref('metric_definition') }}
),

signatures as (
    select * from {{ ref('int_score_adjustment_signature') }}
),

votes as (
    select * from {{ ref('int_score_adjustment_vote') }}
),

interests as (
    select * from {{ ref('int_adjustment_interest') }}
),

exclusions as (
    select * from {{ ref('int_exclusion_request') }}
),

disputes as (
    select * from {{ ref('int_dispute') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

known as (
    select
        requests.*,
        run_context.as_of_at,
        rules.adjustment_type is not null as has_rule,
        rules.is_evidence_required,
        rules.is_designated_manager_required,
        rules.is_circumstance_required,
        rules.is_dispute_required,
        rules.board_code,
        rules.quorum_count,
        thresholds.threshold_code,
        thresholds.required_signature_count,
        thresholds.required_executive_count,
        cast(
            case requests.period_grain
                when 'month' then {{ add_months('requests.period_start_on', 1) }}
                else {{ add_months('requests.period_start_on', 3) }}
            end as date
        ) as period_end_on,
        rules.window_days
    from requests
    cross join run_context
    left join rules
        on
            requests.adjustment_type = rules.adjustment_type
            and cast(requests.requested_at as date) >= rules.effective_from
            and cast(requests.requested_at as date) <= coalesce(rules.effective_to, date '9999-12-31')
    left join thresholds
        on
            requests.currency_code = thresholds.currency_code
            and requests.at_stake_amount >= thresholds.from_amount
            and (thresholds.below_amount is null or requests.at_stake_amount < thresholds.below_amount)
            and cast(requests.requested_at as date) >= thresholds.effective_from
            and cast(requests.requested_at as date) <= coalesce(thresholds.effective_to, date '9999-12-31')
    where requests.recorded_at <= run_context.as_of_at
),

-- a requester may withdraw while the window is open; afterwards the period's pay stands on it
withdrawn as (
    select adjustment_id
    from known
    where
        withdrawn_by = requested_by
        and withdrawn_recorded_at <= as_of_at
        and cast(withdrawn_recorded_at as date) < {{ add_days('period_end_on', 'window_days') }}
),

-- a requester holds a role of the type on the day of the request; a term entered afterwards makes no request good
entitled as (
    select distinct known.adjustment_id
    from known
    inner join requester_roles
        on
            known.adjustment_type = requester_roles.adjustment_type
            and cast(known.requested_at as date) >= requester_roles.effective_from
            and cast(known.requested_at as date) <= coalesce(requester_roles.effective_to, date '9999-12-31')
    inner join members
        on
            known.requested_by = members.employee_number
            and requester_roles.role_code = members.role_code
            and {{ in_office('members', 'cast(known.requested_at as date)', 'known.recorded_at') }}
),

-- the managers of a performance exception are named team by team, by somebody else
designated as (
    select distinct known.adjustment_id
    from known
    inner join designated_managers
        on
            known.requested_by = designated_managers.employee_number
            and known.entity_type = 'team'
            and known.entity_code = designated_managers.team_code
            and {{ in_office('designated_managers', 'cast(known.requested_at as date)', 'known.recorded_at') }}
    where designated_managers.designated_by <> designated_managers.employee_number
),

gaining as (
    select distinct known.adjustment_id
    from known
    inner join interests
        on
            known.adjustment_id = interests.adjustment_id
            and known.requested_by = interests.employee_number
    where interests.interest = 'beneficiary'
),

-- two people for two holders of a role: a delegate and who delegated to them are one signature, and so are two
-- signatures of one hand
signed as (
    select
        adjustment_id,
        least(
            count(distinct case when is_counted and decision = 'approved' then approver end),
            count(distinct case when is_counted and decision = 'approved' then principal end)
        ) as signature_count,
        count(distinct case when is_executive and decision = 'approved' then approver end) as executive_count,
        count(distinct case when is_counted and decision = 'rejected' then approver end) as rejection_count,
        max(case when is_counted and decision = 'approved' then recorded_at end) as signed_at
    from signatures
    group by adjustment_id
),

voted as (
    select
        adjustment_id,
        count(distinct employee_number) as vote_count,
        count(distinct case when vote = 'for' then employee_number end) as for_count,
        count(distinct case when vote = 'against' then employee_number end) as against_count,
        max(recorded_at) as voted_at
    from votes
    where is_counted
    group by adjustment_id
),

-- extraordinary is what an exclusion request with all its papers says happened, outside our control, in the period
circumstance as (
    select
        known.adjustment_id,
        bool_or(exclusions.is_documented) as is_documented,
        bool_or(exclusions.controllability = 'outside_control') as is_outside_control,
        bool_or(
            exclusions.starts_at < cast(known.period_end_on as timestamp)
            and exclusions.ends_at > cast(known.period_start_on as timestamp)
        ) as is_in_period
    from known
    inner join exclusions
        on
            known.circumstance_exclusion_id = exclusions.exclusion_id
            and exclusions.exclusion_source = 'exclusion_request'
    group by known.adjustment_id
),

upheld as (
    select distinct known.adjustment_id
    from known
    inner join disputes
        on
            known.dispute_id = disputes.dispute_id
            and known.adjustment_id = disputes.adjustment_id
            and known.metric_code = disputes.metric_code
            and known.entity_type = disputes.entity_type
            and known.entity_code = disputes.entity_code
            and known.period_grain = disputes.period_grain
            and known.period_start_on = disputes.period_start_on
            and known.requested_at >= disputes.decided_at
            -- entered under an earlier day, a decision gains nothing
            and known.requested_at >= disputes.decision_recorded_at
            and disputes.decision_recorded_at <= known.as_of_at
    where disputes.is_upheld
),

measured as (
    select distinct metric_code
    from definitions
),

judged as (
    select
        known.*,
        withdrawn.adjustment_id is not null as is_withdrawn,
        coalesce(signed.signature_count, 0) as signature_count,
        coalesce(signed.executive_count, 0) as executive_count,
        coalesce(signed.rejection_count, 0) as rejection_count,
        coalesce(voted.vote_count, 0) as vote_count,
        coalesce(voted.for_count, 0) as for_count,
        coalesce(voted.against_count, 0) as against_count,
        {{ add_days('known.period_end_on', 'known.window_days') }} as window_end_on,
        greatest(
            known.recorded_at,
            coalesce(signed.signed_at, known.recorded_at),
            coalesce(voted.voted_at, known.recorded_at)
        ) as complete_at,
        concat_ws(
            ', ',
            case when withdrawn.adjustment_id is not null then 'withdrawn' end,
            case when coalesce(signed.rejection_count, 0) > 0 then 'rejected' end,
            case when not known.has_rule then 'type_without_rule' end,
            case when measured.metric_code is null then 'metric_unknown' end,
            case
                when
                    known.period_grain not in ('month', 'quarter')
                    or known.period_start_on <> case known.period_grain
                        when 'quarter' then {{ quarter_start('known.period_start_on') }}
                        else {{ month_start('known.period_start_on') }}
                    end
                    then 'period_unknown'
            end,
            case
                when
                    known.adjustment_method = 'set'
                    and (
                        known.before_value is null
                        or known.after_value is null
                        or known.after_value = known.before_value
                        or known.delta_value is not null
                    )
                    then 'value_incomplete'
                when
                    known.adjustment_method = 'add'
                    and (
                        coalesce(known.delta_value, 0) = 0
                        or known.before_value is not null
                        or known.after_value is not null
                    )
                    then 'value_incomplete'
                when known.adjustment_method not in ('set', 'add') then 'value_incomplete'
            end,
            case when coalesce(trim(known.reason), '') = '' then 'reason_missing' end,
            case
                when known.is_evidence_required and coalesce(trim(known.evidence_reference), '') = ''
                    then 'evidence_missing'
            end,
            case
                when known.requested_by is null then 'requester_missing'
                when known.is_designated_manager_required and designated.adjustment_id is null
                    then 'requester_not_designated'
                when
                    known.has_rule
                    and not known.is_designated_manager_required
                    and entitled.adjustment_id is null
                    then 'requester_not_entitled'
            end,
            case when gaining.adjustment_id is not null then 'requester_is_beneficiary' end,
            case when cast(known.requested_at as date) < known.period_end_on then 'requested_before_period_end' end,
            case
                when
                    cast(known.requested_at as date) >= {{ add_days('known.period_end_on', 'known.window_days') }}
                    or cast(known.recorded_at as date) >= {{ add_days('known.period_end_on', 'known.window_days') }}
                    then 'requested_after_window'
            end,
            case when known.recorded_at < known.requested_at then 'recorded_before_requested' end,
            case
                when known.at_stake_amount is null or known.at_stake_amount < 0 then 'amount_missing'
                when known.threshold_code is null then 'threshold_missing'
            end,
            case
                when coalesce(signed.signature_count, 0) < known.required_signature_count then 'signatures_missing'
            end,
            case when coalesce(signed.executive_count, 0) < known.required_executive_count then 'executive_missing' end,
            case
                when not coalesce(known.is_circumstance_required, false) then null
                when circumstance.adjustment_id is null then 'circumstance_missing'
                when not circumstance.is_documented then 'circumstance_not_documented'
                when not circumstance.is_outside_control then 'circumstance_within_control'
                when not circumstance.is_in_period then 'circumstance_outside_period'
            end,
            case
                when known.board_code is null then null
                when coalesce(voted.vote_count, 0) < known.quorum_count then 'quorum_missing'
                when coalesce(voted.for_count, 0) <= coalesce(voted.against_count, 0) then 'vote_lost'
            end,
            case when known.is_dispute_required and upheld.adjustment_id is null then 'dispute_not_upheld' end
        ) as own_reasons
    from known
    left join withdrawn on known.adjustment_id = withdrawn.adjustment_id
    left join entitled on known.adjustment_id = entitled.adjustment_id
    left join designated on known.adjustment_id = designated.adjustment_id
    left join gaining on known.adjustment_id = gaining.adjustment_id
    left join signed on known.adjustment_id = signed.adjustment_id
    left join voted on known.adjustment_id = voted.adjustment_id
    left join circumstance on known.adjustment_id = circumstance.adjustment_id
    left join upheld on known.adjustment_id = upheld.adjustment_id
    left join measured on known.metric_code = measured.metric_code
),

-- two adjustments in order on one result contradict each other until one is withdrawn
compared as (
    select
        *,
        case
            when
                own_reasons = ''
                and sum(case when own_reasons = '' then 1 else 0 end) over (
                    partition by metric_code, entity_type, entity_code, period_grain, period_start_on
                ) > 1
                then 'conflicts_with_another'
            else own_reasons
        end as reasons
    from judged
),

final as (
    select
        adjustment_id,
        adjustment_type,
        metric_code,
        entity_type,
        entity_code,
        period_grain,
        period_start_on,
        period_end_on,
        adjustment_method,
        before_value,
        after_value,
        delta_value,
        reason,
        evidence_reference,
        circumstance_exclusion_id,
        dispute_id,
        at_stake_amount,
        currency_code,
        requested_by,
        requested_at,
        recorded_at,
        case when withdrawn_recorded_at <= as_of_at then withdrawn_by end as withdrawn_by,
        case when withdrawn_recorded_at <= as_of_at then withdrawn_at end as withdrawn_at,
        case when withdrawn_recorded_at <= as_of_at then withdrawn_recorded_at end as withdrawn_recorded_at,
        is_withdrawn,
        window_end_on,
        threshold_code,
        required_signature_count,
        signature_count,
        required_executive_count,
        executive_count,
        rejection_count,
        board_code,
        quorum_count,
        vote_count,
        for_count,
        against_count,
        case
            when reasons = '' then 'effective'
            when is_withdrawn then 'withdrawn'
            when rejection_count > 0 then 'rejected'
            when
                cast(as_of_at as date) < window_end_on
                and reasons in (
                    'signatures_missing',
                    'executive_missing',
                    'quorum_missing',
                    'signatures_missing, executive_missing',
                    'signatures_missing, quorum_missing',
                    'executive_missing, quorum_missing',
                    'signatures_missing, executive_missing, quorum_missing'
                )
                then 'pending'
            else 'refused'
        end as adjustment_status,
        reasons = '' as is_effective,
        case when reasons = '' then complete_at end as effective_at,
        nullif(reasons, '') as refusal_reasons
    from compared
)

select * from final
