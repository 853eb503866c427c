-- Every relaxed target known at the as-of instant, and whether it takes effect: tied to the documented outage of the
-- supplier the service stands on, inside the outage and the days after it, laxer than the target, and signed in time.
with target_relaxation as (
    select * from {{ ref('target_relaxation') }}
),

exclusion_request as (
    select * from {{ ref('int_exclusion_request') }}
    where exclusion_source = 'exclusion_request'
),

gate as (
    select * from {{ ref('int_register_gate') }}
    where register_code = 'target_relaxation'
),

gate_limit as (
    select * from {{ ref('gate_limit') }}
    where register_code = 'target_relaxation' and limit_code = 'days_after_outage'
),

slt_target as (
    select * from {{ ref('slt_target') }}
),

service as (
    select * from {{ ref('service') }}
),

-- what is wrong with a request itself is the same for every audience
outage as (
    select
        exclusion_id,
        max(category) as category,
        max(scope_type) as scope_type,
        max(scope_code) as scope_code,
        min(starts_at) as starts_at,
        max(ends_at) as ends_at,
        bool_and(is_documented) as is_documented
    from exclusion_request
    group by exclusion_id
),

-- the laxest target the tickets of the relaxation could be held to
target as (
    select
        target_relaxation.relaxation_id,
        max(slt_target.target_seconds) as target_seconds
    from target_relaxation
    inner join slt_target
        on
            target_relaxation.slt_code = slt_target.slt_code
            and target_relaxation.slt_version = slt_target.slt_version
            and target_relaxation.priority = slt_target.priority
            and (slt_target.service_code is null or slt_target.service_code = target_relaxation.service_code)
            and target_relaxation.starts_on >= slt_target.effective_from
            and target_relaxation.starts_on <= coalesce(slt_target.effective_to, date '9999-12-31')
    group by target_relaxation.relaxation_id
),

judged as (
    select
        target_relaxation.*,
        gate.gate_at,
        gate.gate_due_on,
        outage.starts_at as outage_starts_at,
        outage.ends_at as outage_ends_at,
        target.target_seconds as plain_target_seconds,
        concat_ws(
            ', ',
            nullif(gate.gate_faults, ''),
            case when service.service_code is null then 'service_unknown' end,
            case
                when outage.exclusion_id is null then 'outage_unknown'
                when not (outage.category = 'vendor_outage' or outage.scope_type = 'vendor') then 'not_a_vendor_outage'
            end,
            case when not outage.is_documented then 'outage_not_effective' end,
            case
                when
                    outage.exclusion_id is not null
                    and not coalesce(
                        (outage.scope_type = 'vendor' and outage.scope_code = service.vendor_code)
                        or (outage.scope_type = 'service' and outage.scope_code = service.service_code),
                        false
                    )
                    then 'service_not_in_outage'
            end,
            case
                when
                    target_relaxation.starts_on < cast(outage.starts_at as date)
                    or target_relaxation.ends_on > {{ add_days(
                        'cast(outage.ends_at as date)', 'coalesce(gate_limit.limit_days, 0)'
                    ) }}
                    then 'window_not_tied_to_outage'
            end,
            case
                when target.target_seconds is null then 'target_unknown'
                when target_relaxation.relaxed_target_seconds <= target.target_seconds then 'not_a_relaxation'
            end
        ) as refusal_reasons
    from target_relaxation
    inner join gate on target_relaxation.relaxation_id = gate.register_id
    left join gate_limit on gate.register_code = gate_limit.register_code
    left join service on target_relaxation.service_code = service.service_code
    left join outage on target_relaxation.exclusion_id = outage.exclusion_id
    left join target on target_relaxation.relaxation_id = target.relaxation_id
),

final as (
    select
        relaxation_id,
        slt_code,
        slt_version,
        service_code,
        priority,
        exclusion_id,
        outage_starts_at,
        outage_ends_at,
        starts_on,
        ends_on,
        plain_target_seconds,
        relaxed_target_seconds,
        justification,
        requested_by,
        requested_on,
        gate_at,
        gate_due_on,
        refusal_reasons = '' as is_effective,
        nullif(refusal_reasons, '') as refusal_reasons
    from judged
)

select * from final
