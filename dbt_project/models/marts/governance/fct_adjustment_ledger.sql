-- Everything that was ever recorded about an adjustment, in the order it was recorded, with where it stood after each
-- entry, and the effect as it stands at the run's instant.
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

entry as (
    select
        adjustment_id,
        1 as kind_number,
        'requested' as entry_type,
        adjustment_id as entry_code,
        requested_by as actor_employee_number,
        cast(null as varchar) as role_code,
        adjustment_type as decision,
        requested_at as happened_at,
        recorded_at,
        true as is_counted,
        cast(null as varchar) as refusal_reasons,
        0 as signature_step,
        0 as vote_step
    from adjustments

    union all

    select
        adjustment_id,
        2 as kind_number,
        'voted' as entry_type,
        employee_number as entry_code,
        employee_number as actor_employee_number,
        cast(null as varchar) as role_code,
        vote as decision,
        voted_at as happened_at,
        recorded_at,
        is_counted,
        refusal_reasons,
        0 as signature_step,
        case when is_counted then 1 else 0 end as vote_step
    from votes

    union all

    select
        adjustment_id,
        3 as kind_number,
        'signed' as entry_type,
        approval_id as entry_code,
        approver as actor_employee_number,
        role_code,
        decision,
        decided_at as happened_at,
        recorded_at,
        is_counted,
        refusal_reasons,
        case when is_counted and decision = 'approved' then 1 else 0 end as signature_step,
        0 as vote_step
    from signatures

    union all

    select
        adjustment_id,
        4 as kind_number,
        'withdrawn' as entry_type,
        adjustment_id as entry_code,
        withdrawn_by as actor_employee_number,
        cast(null as varchar) as role_code,
        'withdrawn' as decision,
        withdrawn_at as happened_at,
        withdrawn_recorded_at as recorded_at,
        is_withdrawn as is_counted,
        case
            when is_withdrawn then null
            when withdrawn_by = requested_by then 'recorded_after_window'
            else 'not_the_requesters'
        end as refusal_reasons,
        0 as signature_step,
        0 as vote_step
    from adjustments
    where withdrawn_recorded_at is not null

    union all

    -- the effect is entered when the last thing it needed was recorded
    select
        adjustments.adjustment_id,
        5 as kind_number,
        'took_effect' as entry_type,
        adjustments.adjustment_id as entry_code,
        cast(null as varchar) as actor_employee_number,
        cast(null as varchar) as role_code,
        'effective' as decision,
        adjustments.effective_at as happened_at,
        adjustments.effective_at as recorded_at,
        true as is_counted,
        cast(null as varchar) as refusal_reasons,
        0 as signature_step,
        0 as vote_step
    from adjustments
    inner join effects on adjustments.adjustment_id = effects.adjustment_id
    where effects.is_applied
),

running as (
    select
        entry.*,
        adjustments.metric_code,
        adjustments.entity_type,
        adjustments.entity_code,
        adjustments.period_grain,
        adjustments.period_start_on,
        adjustments.required_signature_count,
        adjustments.at_stake_amount,
        adjustments.currency_code,
        effects.measured_value,
        case when entry.entry_type = 'took_effect' then effects.adjusted_value end as adjusted_value,
        case
            when entry.entry_type = 'took_effect' then effects.adjusted_value - effects.measured_value
        end as delta_value,
        row_number() over (
            partition by entry.adjustment_id order by entry.recorded_at, entry.kind_number, entry.entry_code
        ) as entry_number,
        sum(entry.signature_step) over (
            partition by entry.adjustment_id
            order by entry.recorded_at, entry.kind_number, entry.entry_code
            rows between unbounded preceding and current row
        ) as running_signature_count,
        sum(entry.vote_step) over (
            partition by entry.adjustment_id
            order by entry.recorded_at, entry.kind_number, entry.entry_code
            rows between unbounded preceding and current row
        ) as running_vote_count,
        sum(case when entry.entry_type = 'took_effect' then adjustments.at_stake_amount else 0 end) over (
            partition by adjustments.currency_code
            order by entry.recorded_at, entry.adjustment_id, entry.kind_number, entry.entry_code
            rows between unbounded preceding and current row
        ) as effective_to_date_amount
    from entry
    inner join adjustments on entry.adjustment_id = adjustments.adjustment_id
    inner join effects on entry.adjustment_id = effects.adjustment_id
),

final as (
    select
        cast({{ md5_of(['adjustment_id', 'entry_type', 'entry_code', 'recorded_at']) }} as varchar) as ledger_entry_key,
        cast(adjustment_id as varchar) as adjustment_id,
        cast(entry_number as bigint) as entry_number,
        cast(entry_type as varchar) as entry_type,
        cast(entry_code as varchar) as entry_code,
        cast(actor_employee_number as varchar) as actor_employee_number,
        cast(role_code as varchar) as role_code,
        cast(decision as varchar) as decision,
        cast(happened_at as timestamp) as happened_at,
        cast(recorded_at as timestamp) as recorded_at,
        cast(is_counted as boolean) as is_counted,
        cast(refusal_reasons as varchar) as refusal_reasons,
        cast(metric_code as varchar) as metric_code,
        cast(entity_type as varchar) as entity_type,
        cast(entity_code as varchar) as entity_code,
        cast(period_grain as varchar) as period_grain,
        cast(period_start_on as date) as period_start_on,
        cast(required_signature_count as bigint) as required_signature_count,
        cast(running_signature_count as bigint) as running_signature_count,
        cast(running_vote_count as bigint) as running_vote_count,
        cast(measured_value as decimal(18, 6)) as measured_value,
        cast(adjusted_value as decimal(18, 6)) as adjusted_value,
        cast(delta_value as decimal(18, 6)) as delta_value,
        cast(at_stake_amount as decimal(18, 2)) as at_stake_amount,
        cast(effective_to_date_amount as decimal(18, 2)) as effective_to_date_amount,
        cast(currency_code as varchar) as currency_code
    from running
)

select * from final
