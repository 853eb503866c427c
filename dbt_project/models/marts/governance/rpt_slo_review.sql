-- The quarterly review of each service's objectives: what calls for it, when it was due and when it was held.
with reviews as (
    select * from {{ ref('int_review') }}
    where review_type = 'slo'
),

budgets as (
    select * from {{ ref('fct_error_budget') }}
    where window_kind = 'calendar' and is_complete
),

attainments as (
    select * from {{ ref('fct_slt_attainment') }}
    where scope_type = 'service'
),

triggers as (
    select * from {{ ref('fct_improvement_trigger') }}
    where scope_type = 'service'
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

-- a window belongs to the quarter it began in
budget as (
    select
        reviews.subject_code,
        reviews.period_start_on,
        count(*) as window_count,
        sum(case when budgets.budget_status = 'exhausted' then 1 else 0 end) as exhausted_count,
        sum(case when budgets.budget_status = 'insufficient_data' then 1 else 0 end) as insufficient_count
    from reviews
    inner join budgets
        on
            reviews.subject_code = budgets.service_code
            and reviews.period_start_on <= budgets.window_start_on
            and reviews.period_end_on > budgets.window_start_on
    group by reviews.subject_code, reviews.period_start_on
),

missed as (
    select
        reviews.subject_code,
        reviews.period_start_on,
        sum(case when attainments.attainment_status = 'missed' then 1 else 0 end) as missed_count
    from reviews
    inner join attainments
        on
            reviews.subject_code = attainments.scope_code
            and reviews.period_start_on <= attainments.period_month
            and reviews.period_end_on > attainments.period_month
    group by reviews.subject_code, reviews.period_start_on
),

triggered as (
    select
        reviews.subject_code,
        reviews.period_start_on,
        count(*) as trigger_count
    from reviews
    inner join triggers
        on
            reviews.subject_code = triggers.scope_code
            and reviews.period_start_on <= triggers.opened_on
            and reviews.period_end_on > triggers.opened_on
    group by reviews.subject_code, reviews.period_start_on
),

joined as (
    select
        reviews.*,
        coalesce(budget.window_count, 0) as window_count,
        coalesce(budget.exhausted_count, 0) as exhausted_count,
        coalesce(budget.insufficient_count, 0) as insufficient_count,
        coalesce(missed.missed_count, 0) as missed_count,
        coalesce(triggered.trigger_count, 0) as trigger_count,
        cast(run_context.as_of_at as date) as as_of_on
    from reviews
    cross join run_context
    left join budget
        on reviews.subject_code = budget.subject_code and reviews.period_start_on = budget.period_start_on
    left join missed
        on reviews.subject_code = missed.subject_code and reviews.period_start_on = missed.period_start_on
    left join triggered
        on reviews.subject_code = triggered.subject_code and reviews.period_start_on = triggered.period_start_on
),

final as (
    select
        cast(subject_code as varchar) as service_code,
        cast(period_code as varchar) as quarter_code,
        cast(period_start_on as date) as period_start_on,
        cast(window_count as bigint) as budget_window_count,
        cast(exhausted_count as bigint) as exhausted_budget_count,
        cast(insufficient_count as bigint) as insufficient_budget_count,
        cast(missed_count as bigint) as missed_month_count,
        cast(trigger_count as bigint) as improvement_trigger_count,
        cast(exhausted_count > 0 or missed_count >= misses_count or trigger_count > 0 as boolean) as is_triggered,
        cast(
            nullif(
                concat_ws(
                    ', ',
                    case when exhausted_count > 0 then 'budget_exhausted' end,
                    case when missed_count >= misses_count then 'misses_reached' end,
                    case when trigger_count > 0 then 'improvement_triggered' end
                ),
                ''
            ) as varchar
        ) as trigger_reasons,
        cast(due_on as date) as due_on,
        cast(held_on as date) as held_on,
        cast(review_id as varchar) as review_id,
        cast(minutes_reference as varchar) as minutes_reference,
        cast(review_status as varchar) as review_status,
        cast(
            case
                when review_status = 'overdue' then {{ day_count('due_on', 'as_of_on') }}
                when review_status = 'held_late' then {{ day_count('due_on', 'held_on') }}
                else 0
            end as bigint
        ) as overdue_days
    from joined
)

select * from final
