-- Every accepted difference of a reconciliation known at the as-of instant, and whether its signer was entitled to it.
-- A difference is held against what was accepted where a period is closed.
with accepted_difference as (
    select * from {{ ref('accepted_difference') }}
),

governance_member as (
    select * from {{ ref('governance_member') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

known as (
    select accepted_difference.*
    from accepted_difference
    cross join run_context
    where
        {{ counts_from('accepted_difference.accepted_on', 'accepted_difference.recorded_at') }} <= run_context.as_of_at
),

role_held as (
    select distinct known.acceptance_id
    from known
    inner join governance_member
        on
            known.role_code = governance_member.role_code
            and known.accepted_by = governance_member.employee_number
            and known.accepted_on >= governance_member.from_on
            and known.accepted_on <= coalesce(governance_member.to_on, date '9999-12-31')
),

judged as (
    select
        known.*,
        concat_ws(
            ', ',
            case when role_held.acceptance_id is null then 'role_not_held' end,
            case when coalesce(known.accepted_by = known.subject_code, true) then 'own_difference' end,
            case when coalesce(trim(known.explanation), '') = '' then 'explanation_missing' end
        ) as faults
    from known
    left join role_held on known.acceptance_id = role_held.acceptance_id
),

final as (
    select
        acceptance_id,
        rec_name,
        subject_code,
        earned_quarter,
        currency_code,
        status,
        difference_amount,
        role_code,
        explanation,
        accepted_by,
        accepted_on,
        recorded_at,
        faults = '' as is_entitled,
        nullif(faults, '') as refusal_reasons
    from judged
)

select * from final
