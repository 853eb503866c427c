-- What the steering committee has to see at the run's instant: decisions that wait, what was refused of late, reviews
-- that are overdue and disputes beyond their level.
with adjustments as (
    select * from {{ ref('rpt_adjustment_control') }}
),

disputes as (
    select * from {{ ref('rpt_dispute') }}
),

exclusions as (
    select * from {{ ref('rpt_exclusion_control') }}
),

reviews as (
    select * from {{ ref('int_review') }}
),

slo_reviews as (
    select * from {{ ref('rpt_slo_review') }}
),

triggers as (
    select * from {{ ref('fct_improvement_trigger') }}
),

metric_activations as (
    select * from {{ ref('rpt_metric_activation') }}
),

plan_activations as (
    select * from {{ ref('rpt_plan_activation') }}
),

relaxations as (
    select * from {{ ref('rpt_target_relaxation') }}
),

weight_adjustments as (
    select * from {{ ref('rpt_weight_adjustment') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

item as (
    select
        'open_decision' as agenda_type,
        'adjustment' as subject_type,
        adjustment_id as subject_code,
        cast(requested_at as date) as raised_on,
        {{ add_days('window_end_on', -1) }} as decide_by_on,
        reasons as detail
    from adjustments
    where adjustment_status = 'pending'

    union all

    select
        'open_decision' as agenda_type,
        'exclusion' as subject_type,
        exclusion_id as subject_code,
        cast(requested_at as date) as raised_on,
        cast(null as date) as decide_by_on,
        reason as detail
    from exclusions
    where decision = 'pending'

    union all

    select
        'open_decision' as agenda_type,
        'dispute' as subject_type,
        dispute_id as subject_code,
        cast(opened_at as date) as raised_on,
        decide_by_on,
        dispute_status as detail
    from disputes
    where dispute_status in ('open', 'acknowledged') and instance_code = 'steering_committee'

    union all

    -- a refused item stays on the agenda for a quarter
    select
        'refused_item' as agenda_type,
        'adjustment' as subject_type,
        adjustments.adjustment_id as subject_code,
        cast(adjustments.requested_at as date) as raised_on,
        cast(null as date) as decide_by_on,
        adjustments.reasons as detail
    from adjustments
    cross join run_context
    where
        adjustments.adjustment_status in ('refused', 'rejected')
        and cast(adjustments.requested_at as date) > {{ add_days('cast(run_context.as_of_at as date)', -92) }}

    union all

    select
        'refused_item' as agenda_type,
        'exclusion' as subject_type,
        exclusions.exclusion_id as subject_code,
        cast(exclusions.requested_at as date) as raised_on,
        cast(null as date) as decide_by_on,
        exclusions.reason as detail
    from exclusions
    cross join run_context
    where
        not exclusions.is_effective
        and exclusions.decision <> 'pending'
        and cast(exclusions.requested_at as date) > {{ add_days('cast(run_context.as_of_at as date)', -92) }}

    union all

    select
        'refused_item' as agenda_type,
        'metric_definition' as subject_type,
        metric_activations.metric_code || ' ' || cast(metric_activations.metric_version as varchar) as subject_code,
        metric_activations.proposed_effective_from as raised_on,
        cast(null as date) as decide_by_on,
        metric_activations.refusal_reasons as detail
    from metric_activations
    cross join run_context
    where
        not metric_activations.is_activated
        and metric_activations.proposed_effective_from
        > {{ add_days('cast(run_context.as_of_at as date)', -92) }}

    union all

    select
        'refused_item' as agenda_type,
        plan_activations.subject_type,
        plan_activations.subject_code || ' ' || cast(plan_activations.subject_version as varchar) || ' '
        || plan_activations.country_code as subject_code,
        plan_activations.proposed_effective_from as raised_on,
        cast(null as date) as decide_by_on,
        plan_activations.refusal_reasons as detail
    from plan_activations
    cross join run_context
    where
        not plan_activations.is_activated
        and plan_activations.proposed_effective_from > {{ add_days('cast(run_context.as_of_at as date)', -92) }}

    union all

    select distinct
        'refused_item' as agenda_type,
        'target_relaxation' as subject_type,
        relaxations.relaxation_id as subject_code,
        relaxations.requested_on as raised_on,
        cast(null as date) as decide_by_on,
        relaxations.refusal_reasons as detail
    from relaxations
    cross join run_context
    where
        not relaxations.is_effective
        and relaxations.requested_on > {{ add_days('cast(run_context.as_of_at as date)', -92) }}

    union all

    select distinct
        'refused_item' as agenda_type,
        'weight_adjustment' as subject_type,
        weight_adjustments.adjustment_id as subject_code,
        weight_adjustments.requested_on as raised_on,
        cast(null as date) as decide_by_on,
        weight_adjustments.refusal_reasons as detail
    from weight_adjustments
    cross join run_context
    where
        not weight_adjustments.is_effective
        and weight_adjustments.requested_on > {{ add_days('cast(run_context.as_of_at as date)', -92) }}

    union all

    select
        'overdue_review' as agenda_type,
        reviews.review_type || '_review' as subject_type,
        reviews.subject_code || ' ' || reviews.period_code as subject_code,
        reviews.period_end_on as raised_on,
        reviews.due_on as decide_by_on,
        coalesce(slo_reviews.trigger_reasons, 'regular') as detail
    from reviews
    left join slo_reviews
        on
            reviews.review_type = 'slo'
            and reviews.subject_code = slo_reviews.service_code
            and reviews.period_start_on = slo_reviews.period_start_on
    where
        reviews.review_status = 'overdue'
        and (reviews.review_type = 'vendor' or coalesce(slo_reviews.is_triggered, false))

    union all

    select
        'overdue_review' as agenda_type,
        'improvement' as subject_type,
        improvement_trigger_key as subject_code,
        opened_on as raised_on,
        rca_due_on as decide_by_on,
        trigger_status as detail
    from triggers
    where is_action_needed

    union all

    select
        'dispute_beyond_level' as agenda_type,
        'dispute' as subject_type,
        dispute_id as subject_code,
        cast(opened_at as date) as raised_on,
        decide_by_on,
        case
            when dispute_status = 'overdue' then 'overdue at ' || instance_code
            else effect_status
        end as detail
    from disputes
    where
        dispute_status = 'overdue'
        or effect_status in ('adjustment_missing', 'adjustment_unknown', 'adjustment_refused')
),

final as (
    select
        cast({{ md5_of(['item.agenda_type', 'item.subject_type', 'item.subject_code']) }} as varchar)
            as agenda_item_key,
        cast(item.agenda_type as varchar) as agenda_type,
        cast(item.subject_type as varchar) as subject_type,
        cast(item.subject_code as varchar) as subject_code,
        cast(item.raised_on as date) as raised_on,
        cast(item.decide_by_on as date) as decide_by_on,
        cast({{ day_count('item.raised_on', 'cast(run_context.as_of_at as date)') }} as bigint) as age_days,
        cast(coalesce(item.decide_by_on < cast(run_context.as_of_at as date), false) as boolean) as is_overdue,
        cast(item.detail as varchar) as detail
    from item
    cross join run_context
)

select * from final
