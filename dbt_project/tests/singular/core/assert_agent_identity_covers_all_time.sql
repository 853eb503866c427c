-- An instant at which an account has no interval, two, or neither a person nor a reason: work done then would fall
-- through, or be two people's.
{{ config(meta={'requirements': ['DESK-3.6']}) }}
with ordered as (
    select
        source_system,
        user_name,
        is_attributed,
        unattributed_reason,
        employee_number,
        valid_from_at,
        valid_to_at,
        lag(valid_to_at) over account_history as previous_to_at,
        lead(valid_from_at) over account_history as next_from_at
    from {{ ref('int_agent_identity') }}
    window account_history as (
        partition by source_system, coalesce(user_id, user_name)
        order by valid_from_at
    )
),

failure as (
    select *
    from ordered
    where
        coalesce(previous_to_at, timestamp '1900-01-01 00:00:00') <> valid_from_at
        or coalesce(next_from_at, timestamp '9999-12-31 00:00:00') <> valid_to_at
        or is_attributed <> (unattributed_reason is null)
        or (is_attributed and employee_number is null)
)

select * from failure
