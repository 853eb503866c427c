-- Of every relaxation and weight adjustment: the sign-offs its register demands, which are there, and since when all
-- of them are.
with target_relaxation as (
    select * from {{ ref('target_relaxation') }}
),

weight_adjustment as (
    select * from {{ ref('weight_adjustment') }}
),

approval_demand as (
    select * from {{ ref('approval_demand') }}
),

gate_limit as (
    select * from {{ ref('gate_limit') }}
    where limit_code = 'approval_after_window'
),

approval as (
    select * from {{ ref('int_governance_approval') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

request as (
    select
        'target_relaxation' as register_code,
        relaxation_id as register_id,
        justification,
        starts_on,
        ends_on,
        {{ counts_from('requested_on', 'recorded_at') }} as counts_from_at
    from target_relaxation

    union all

    select
        'weight_adjustment' as register_code,
        adjustment_id as register_id,
        justification,
        starts_on,
        ends_on,
        {{ counts_from('requested_on', 'recorded_at') }} as counts_from_at
    from weight_adjustment
),

signed as (
    select
        request.register_code,
        request.register_id,
        approval_demand.approval_type,
        min(case when approval.is_counted then approval.counts_from_at end) as signed_at,
        {{ string_list('case when not approval.is_counted then approval.refusal_reasons end', 'approval.approval_id') }}
            as approval_faults
    from request
    inner join approval_demand on request.register_code = approval_demand.register_code
    left join approval
        on
            request.register_code = approval.register_code
            and request.register_id = approval.register_id
            and approval_demand.approval_type = approval.approval_type
    group by request.register_code, request.register_id, approval_demand.approval_type
),

per_request as (
    select
        register_code,
        register_id,
        count(*) as demanded_count,
        count(signed_at) as signed_count,
        max(signed_at) as signed_at,
        {{ string_list(
            "case
                when signed_at is null and approval_faults is null then approval_type || '_missing'
                when signed_at is null then approval_type || '_refused'
            end",
            'approval_type'
        ) }} as approval_faults
    from signed
    group by register_code, register_id
),

gated as (
    select
        request.register_code,
        request.register_id,
        request.starts_on,
        request.ends_on,
        coalesce(per_request.demanded_count, 0) as demanded_count,
        coalesce(per_request.signed_count, 0) as signed_count,
        case
            when per_request.demanded_count = per_request.signed_count
                then greatest(per_request.signed_at, request.counts_from_at)
        end as gate_at,
        {{ add_days('request.ends_on', 'coalesce(gate_limit.limit_days, 0)') }} as gate_due_on,
        concat_ws(
            ', ',
            case when per_request.demanded_count is null then 'rule_missing' end,
            case when coalesce(trim(request.justification), '') = '' then 'justification_missing' end,
            case when not coalesce(request.starts_on <= request.ends_on, false) then 'window_empty' end,
            per_request.approval_faults
        ) as gate_faults
    from request
    cross join run_context
    left join per_request
        on request.register_code = per_request.register_code and request.register_id = per_request.register_id
    left join gate_limit on request.register_code = gate_limit.register_code
    where request.counts_from_at <= run_context.as_of_at
),

final as (
    select
        register_code,
        register_id,
        starts_on,
        ends_on,
        demanded_count,
        signed_count,
        gate_at,
        gate_due_on,
        concat_ws(
            ', ',
            nullif(gate_faults, ''),
            case when cast(gate_at as date) > gate_due_on then 'approved_late' end
        ) as gate_faults
    from gated
)

select * from final
