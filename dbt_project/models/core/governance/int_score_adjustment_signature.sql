-- Every signature under an adjustment that is known at the run's instant: whose it is, and whether it counts.
with signatures as (
    select * from {{ ref('score_adjustment_approval') }}
),

requests as (
    select * from {{ ref('score_adjustment') }}
),

rules as (
    select * from {{ ref('adjustment_rule') }}
),

thresholds as (
    select * from {{ ref('approval_threshold') }}
),

threshold_roles as (
    select * from {{ ref('approval_threshold_role') }}
),

members as (
    select * from {{ ref('governance_member') }}
    where role_code is not null
),

delegations as (
    select * from {{ ref('signing_delegation') }}
),

interests as (
    select * from {{ ref('int_adjustment_interest') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

-- a decision nobody had recorded yet does not exist for the run
known as (
    select
        signatures.approval_id,
        signatures.adjustment_id,
        signatures.approver,
        signatures.on_behalf_of,
        coalesce(signatures.on_behalf_of, signatures.approver) as principal,
        signatures.role_code,
        signatures.decision,
        signatures.decided_at,
        signatures.recorded_at,
        requests.requested_by,
        requests.requested_at,
        thresholds.threshold_code,
        rules.is_manager_signature_refused,
        {{ add_days(
            "case requests.period_grain when 'month' then " ~ add_months('requests.period_start_on', 1)
                ~ " else " ~ add_months('requests.period_start_on', 3) ~ " end",
            'rules.window_days'
        ) }} as window_end_on
    from signatures
    inner join requests on signatures.adjustment_id = requests.adjustment_id
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
    where signatures.recorded_at <= run_context.as_of_at and requests.recorded_at <= run_context.as_of_at
),

held as (
    select distinct known.approval_id
    from known
    inner join members
        on
            known.principal = members.employee_number
            and known.role_code = members.role_code
            and {{ in_office('members', 'cast(known.decided_at as date)', 'known.recorded_at') }}
),

delegated as (
    select distinct known.approval_id
    from known
    inner join delegations
        on
            known.on_behalf_of = delegations.delegator
            and known.approver = delegations.delegate
            and known.role_code = delegations.role_code
            and cast(known.decided_at as date) >= delegations.from_on
            and cast(known.decided_at as date) <= delegations.to_on
            and known.decided_at >= delegations.recorded_at
),

-- nobody signs for a cause of their own, and nobody has it signed for them
interested as (
    select
        known.approval_id,
        bool_or(interests.interest = 'beneficiary') as is_beneficiary,
        bool_or(interests.interest = 'manager') as is_manager
    from known
    inner join interests
        on
            known.adjustment_id = interests.adjustment_id
            and (known.approver = interests.employee_number or known.principal = interests.employee_number)
    group by known.approval_id
),

judged as (
    select
        known.*,
        coalesce(threshold_roles.is_executive, false) and known.on_behalf_of is null as is_executive,
        concat_ws(
            ', ',
            case when held.approval_id is null then 'role_not_held' end,
            case when known.on_behalf_of is not null and delegated.approval_id is null then 'not_delegated' end,
            case when threshold_roles.role_code is null then 'role_not_entitled' end,
            case
                when known.approver = known.requested_by or known.principal = known.requested_by
                    then 'signer_is_requester'
            end,
            case when interested.is_beneficiary then 'signer_is_beneficiary' end,
            case
                when interested.is_manager and coalesce(known.is_manager_signature_refused, true)
                    then 'signer_leads_beneficiary'
            end,
            case when known.decided_at < known.requested_at then 'decided_before_requested' end,
            case when known.recorded_at < known.decided_at then 'recorded_before_decided' end,
            case
                when cast(known.decided_at as date) < known.window_end_on then null
                else 'decided_after_window'
            end,
            case
                when cast(known.recorded_at as date) < known.window_end_on then null
                else 'recorded_after_window'
            end
        ) as faults
    from known
    left join held on known.approval_id = held.approval_id
    left join delegated on known.approval_id = delegated.approval_id
    left join interested on known.approval_id = interested.approval_id
    left join threshold_roles
        on
            known.threshold_code = threshold_roles.threshold_code
            and known.role_code = threshold_roles.role_code
),

-- who decides twice is held to the decision recorded last; one that is void itself takes no earlier one's place
ranked as (
    select
        *,
        case
            when
                faults = ''
                and row_number() over (
                    partition by adjustment_id, approver, faults = ''
                    order by recorded_at desc, approval_id desc
                ) > 1
                then 'superseded'
            else faults
        end as refusal_reasons
    from judged
),

final as (
    select
        approval_id,
        adjustment_id,
        approver,
        on_behalf_of,
        principal,
        role_code,
        decision,
        decided_at,
        recorded_at,
        threshold_code,
        refusal_reasons = '' and is_executive as is_executive,
        refusal_reasons = '' as is_counted,
        nullif(refusal_reasons, '') as refusal_reasons
    from ranked
)

select * from final
