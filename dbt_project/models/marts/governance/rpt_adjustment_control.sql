with adjustments as (
    select * from {{ ref('int_score_adjustment') }}
),

effects as (
    select * from {{ ref('fct_score_adjustment_effect') }}
),

signatures as (
    select * from {{ ref('int_score_adjustment_signature') }}
),

votes as (
    select * from {{ ref('int_score_adjustment_vote') }}
),

payouts as (
    select * from {{ ref('fct_incentive_payout') }}
    where adjustment_id is not null
),

signature_list as (
    select
        adjustment_id,
        {{ string_list("case when is_counted then approver || ' (' || role_code || ')' end", 'approval_id') }}
            as counted_signatures,
        {{ string_list(
            "case when not is_counted then approval_id || ': ' || replace(refusal_reasons, ', ', ' and ') end",
            'approval_id'
        ) }}
            as refused_signatures
    from signatures
    group by adjustment_id
),

vote_list as (
    select
        adjustment_id,
        {{ string_list(
            "case when not is_counted then employee_number || ': ' || replace(refusal_reasons, ', ', ' and ') end",
            'employee_number'
        ) }}
            as refused_votes
    from votes
    group by adjustment_id
),

-- what it moved in pay before the cents are laid on the lines: exact on whole numbers, rounded once
moved as (
    select
        adjustment_id,
        currency_code,
        count(distinct employee_number) as employee_count,
        sum(
            {{ integer_units('target_amount', 2) }}
            * {{ exact_integer('segment_days') }}
            * {{ integer_units('weight', 4) }}
            * ({{ integer_units('payout_share', 4) }} - {{ integer_units('measured_payout_share', 4) }})
        ) as moved_numerator,
        {{ exact_integer('max(quarter_days)') }} * 100000000 as moved_denominator
    from payouts
    group by adjustment_id, currency_code
),

moved_in as (
    select
        moved.adjustment_id,
        sum(
            case
                when moved.currency_code = adjustments.currency_code
                    then {{ round_half_up_integer('moved.moved_numerator', 'moved.moved_denominator') }}
                else 0
            end
        ) as moved_cents,
        sum(moved.employee_count) as moved_employee_count,
        sum(case when moved.currency_code <> adjustments.currency_code then 1 else 0 end) as other_currency_count
    from moved
    inner join adjustments on moved.adjustment_id = adjustments.adjustment_id
    group by moved.adjustment_id
),

final as (
    select
        cast(adjustments.adjustment_id as varchar) as adjustment_id,
        cast(adjustments.adjustment_type as varchar) as adjustment_type,
        cast(adjustments.metric_code as varchar) as metric_code,
        cast(adjustments.entity_type as varchar) as entity_type,
        cast(adjustments.entity_code as varchar) as entity_code,
        cast(adjustments.period_grain as varchar) as period_grain,
        cast(adjustments.period_start_on as date) as period_start_on,
        cast(adjustments.reason as varchar) as adjustment_reason,
        cast(adjustments.evidence_reference as varchar) as evidence_reference,
        cast(adjustments.circumstance_exclusion_id as varchar) as circumstance_exclusion_id,
        cast(adjustments.dispute_id as varchar) as dispute_id,
        cast(adjustments.requested_by as varchar) as requested_by,
        cast(adjustments.requested_at as timestamp) as requested_at,
        cast(adjustments.window_end_on as date) as window_end_on,
        cast(adjustments.at_stake_amount as decimal(18, 2)) as at_stake_amount,
        cast(adjustments.currency_code as varchar) as currency_code,
        cast(adjustments.threshold_code as varchar) as threshold_code,
        cast(adjustments.required_signature_count as bigint) as required_signature_count,
        cast(adjustments.signature_count as bigint) as signature_count,
        cast(adjustments.required_executive_count as bigint) as required_executive_count,
        cast(adjustments.executive_count as bigint) as executive_count,
        cast(signature_list.counted_signatures as varchar) as counted_signatures,
        cast(signature_list.refused_signatures as varchar) as refused_signatures,
        cast(adjustments.quorum_count as bigint) as quorum_count,
        cast(adjustments.vote_count as bigint) as vote_count,
        cast(adjustments.for_count as bigint) as for_count,
        cast(adjustments.against_count as bigint) as against_count,
        cast(vote_list.refused_votes as varchar) as refused_votes,
        cast(
            not {{ has_reason('effects.refusal_reasons', [
                'requested_before_period_end',
                'requested_after_window',
                'recorded_before_requested',
                'type_without_rule'
            ]) }} as boolean
        ) as is_in_window,
        cast(
            not {{ has_reason('effects.refusal_reasons', [
                'evidence_missing',
                'reason_missing'
            ]) }} as boolean
        ) as is_evidenced,
        cast(
            not {{ has_reason('effects.refusal_reasons', [
                'requester_missing',
                'requester_not_designated',
                'requester_not_entitled',
                'type_without_rule'
            ]) }} as boolean
        ) as is_requester_entitled,
        cast(
            not {{ has_reason('effects.refusal_reasons', [
                'requester_is_beneficiary'
            ]) }} as boolean
        ) as is_requester_apart,
        cast(
            not {{ has_reason('effects.refusal_reasons', [
                'signatures_missing',
                'amount_missing',
                'threshold_missing',
                'rejected'
            ]) }} as boolean
        ) as is_signed,
        cast(
            not {{ has_reason('effects.refusal_reasons', [
                'executive_missing',
                'amount_missing',
                'threshold_missing'
            ]) }} as boolean
        ) as is_executive_signed,
        cast(
            not {{ has_reason('effects.refusal_reasons', [
                'circumstance_missing',
                'circumstance_not_documented',
                'circumstance_within_control',
                'circumstance_outside_period'
            ]) }} as boolean
        ) as is_circumstance_given,
        cast(
            not {{ has_reason('effects.refusal_reasons', [
                'quorum_missing',
                'vote_lost'
            ]) }} as boolean
        ) as is_board_carried,
        cast(
            not {{ has_reason('effects.refusal_reasons', [
                'dispute_not_upheld'
            ]) }} as boolean
        ) as is_dispute_upheld,
        cast(adjustments.is_effective as boolean) as is_approved,
        cast(effects.is_applied as boolean) as is_effective,
        cast(
            case
                when adjustments.is_effective and not effects.is_applied then 'refused'
                else adjustments.adjustment_status
            end as varchar
        ) as adjustment_status,
        cast(case when effects.is_applied then adjustments.effective_at end as timestamp) as effective_at,
        cast(coalesce(effects.refusal_reasons, 'effective') as varchar) as reasons,
        cast(effects.measured_value as decimal(18, 6)) as measured_value,
        cast(effects.adjusted_value as decimal(18, 6)) as adjusted_value,
        cast(coalesce(moved_in.moved_employee_count, 0) as bigint) as moved_employee_count,
        cast({{ from_integer_units('coalesce(moved_in.moved_cents, 0)', 2) }} as decimal(18, 2)) as moved_amount,
        cast(
            abs(coalesce(moved_in.moved_cents, 0)) > {{ integer_units('coalesce(adjustments.at_stake_amount, 0)', 2) }}
            or coalesce(moved_in.other_currency_count, 0) > 0 as boolean
        ) as is_understated
    from adjustments
    inner join effects on adjustments.adjustment_id = effects.adjustment_id
    left join signature_list on adjustments.adjustment_id = signature_list.adjustment_id
    left join vote_list on adjustments.adjustment_id = vote_list.adjustment_id
    left join moved_in on adjustments.adjustment_id = moved_in.adjustment_id
)

select * from final
