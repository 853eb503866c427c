-- Every weight adjustment known at the as-of instant, and whether it takes effect: signed in time, for whole quarters,
-- with weights that leave the tier's components at a sum of 1, and the first of those that meet.
with weight_adjustment as (
    select * from {{ ref('weight_adjustment') }}
),

weight_adjustment_component as (
    select * from {{ ref('weight_adjustment_component') }}
),

plan_component as (
    select * from {{ ref('plan_component') }}
),

gate as (
    select * from {{ ref('int_register_gate') }}
    where register_code = 'weight_adjustment'
),

-- components the adjustment does not name keep the plan's weight
weighed as (
    select
        weight_adjustment.adjustment_id,
        sum(coalesce(weight_adjustment_component.weight, plan_component.weight)) as weight_sum,
        count(weight_adjustment_component.component_code) as matched_count,
        min(coalesce(weight_adjustment_component.weight, plan_component.weight)) as least_weight
    from weight_adjustment
    inner join plan_component
        on
            weight_adjustment.plan_code = plan_component.plan_code
            and weight_adjustment.plan_version = plan_component.plan_version
            and weight_adjustment.tier = plan_component.tier
    left join weight_adjustment_component
        on
            weight_adjustment.adjustment_id = weight_adjustment_component.adjustment_id
            and plan_component.component_code = weight_adjustment_component.component_code
    group by weight_adjustment.adjustment_id
),

named as (
    select
        adjustment_id,
        count(*) as named_count
    from weight_adjustment_component
    group by adjustment_id
),

judged as (
    select
        weight_adjustment.*,
        gate.gate_at,
        gate.gate_due_on,
        weighed.weight_sum,
        concat_ws(
            ', ',
            nullif(gate.gate_faults, ''),
            case when coalesce(trim(weight_adjustment.evidence_reference), '') = '' then 'evidence_missing' end,
            case
                when
                    {{ quarter_start('weight_adjustment.starts_on') }} <> weight_adjustment.starts_on
                    or {{ quarter_start(add_days('weight_adjustment.ends_on', 1)) }}
                    <> {{ add_days('weight_adjustment.ends_on', 1) }}
                    then 'window_not_whole_quarters'
            end,
            case when named.named_count is null then 'weights_missing' end,
            case
                when coalesce(weighed.matched_count, 0) <> coalesce(named.named_count, 0) then 'component_unknown'
            end,
            case when weighed.least_weight < 0 then 'weight_negative' end,
            case when coalesce(weighed.weight_sum, 0) <> 1 then 'weights_do_not_sum_to_one' end
        ) as own_faults
    from weight_adjustment
    inner join gate on weight_adjustment.adjustment_id = gate.register_id
    left join weighed on weight_adjustment.adjustment_id = weighed.adjustment_id
    left join named on weight_adjustment.adjustment_id = named.adjustment_id
),

-- two that meet on a tier: the one signed first holds
met as (
    select
        judged.adjustment_id,
        count(earlier.adjustment_id) as earlier_count
    from judged
    left join judged as earlier
        on
            judged.plan_code = earlier.plan_code
            and judged.plan_version = earlier.plan_version
            and judged.tier = earlier.tier
            and earlier.own_faults = ''
            and judged.starts_on <= earlier.ends_on
            and judged.ends_on >= earlier.starts_on
            and (
                judged.gate_at > earlier.gate_at
                or (judged.gate_at = earlier.gate_at and judged.adjustment_id > earlier.adjustment_id)
            )
    group by judged.adjustment_id
),

reasoned as (
    select
        judged.*,
        concat_ws(
            ', ',
            nullif(judged.own_faults, ''),
            case when judged.own_faults = '' and met.earlier_count > 0 then 'overlaps_an_earlier_one' end
        ) as refusal_reasons
    from judged
    inner join met on judged.adjustment_id = met.adjustment_id
),

final as (
    select
        adjustment_id,
        plan_code,
        plan_version,
        tier,
        distortion_type,
        starts_on,
        ends_on,
        justification,
        evidence_reference,
        requested_by,
        requested_on,
        gate_at,
        gate_due_on,
        weight_sum,
        -- a quarter that had ended when the last signature counted is known, and may be paid
        case
            when refusal_reasons = ''
                then cast(greatest(starts_on, {{ quarter_start('cast(gate_at as date)') }}) as date)
        end as weighs_from_on,
        refusal_reasons = '' as is_effective,
        nullif(refusal_reasons, '') as refusal_reasons
    from reasoned
)

select * from final
