-- The review of each service and vendor for each quarter that has ended: by when it was due and when it was held.
with services as (
    select * from {{ ref('service') }}
),

vendors as (
    select * from {{ ref('vendor') }}
),

rules as (
    select * from {{ ref('review_rule') }}
),

held_reviews as (
    select * from {{ ref('service_review') }}
),

periods as (
    select * from {{ ref('int_reporting_period') }}
    where period_grain = 'quarter' and is_complete
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

subject as (
    select
        'slo' as review_type,
        service_code as subject_code
    from services

    union all

    select
        'service' as review_type,
        service_code as subject_code
    from services

    union all

    select
        'vendor' as review_type,
        vendor_code as subject_code
    from vendors
),

due as (
    select
        subject.review_type,
        subject.subject_code,
        periods.period_code,
        periods.period_start_on,
        periods.period_end_on,
        rules.misses_count,
        {{ add_days('periods.period_end_on', 'rules.due_days') }} as due_on,
        run_context.as_of_at
    from subject
    cross join periods
    cross join run_context
    inner join rules
        on
            subject.review_type = rules.review_type
            and periods.period_start_on >= rules.effective_from
            and periods.period_start_on <= coalesce(rules.effective_to, date '9999-12-31')
),

-- a review before the quarter's end, or without minutes, was none
held as (
    select
        due.review_type,
        due.subject_code,
        due.period_start_on,
        held_reviews.review_id,
        held_reviews.held_on,
        held_reviews.minutes_reference
    from due
    inner join held_reviews
        on
            due.review_type = held_reviews.review_type
            and due.subject_code = held_reviews.subject_code
            and due.period_start_on = held_reviews.period_start_on
            and due.period_end_on <= held_reviews.held_on
            and due.as_of_at >= held_reviews.recorded_at
    where
        coalesce(trim(held_reviews.minutes_reference), '') <> ''
        and cast(due.as_of_at as date) >= held_reviews.held_on
    qualify row_number() over (
            partition by due.review_type, due.subject_code, due.period_start_on
            order by held_reviews.held_on, held_reviews.review_id
        ) = 1
),

final as (
    select
        due.review_type,
        due.subject_code,
        due.period_code,
        due.period_start_on,
        due.period_end_on,
        due.misses_count,
        due.due_on,
        held.review_id,
        held.held_on,
        held.minutes_reference,
        case
            when held.held_on <= due.due_on then 'held'
            when held.held_on is not null then 'held_late'
            when cast(due.as_of_at as date) <= due.due_on then 'due'
            else 'overdue'
        end as review_status
    from due
    left join held
        on
            due.review_type = held.review_type
            and due.subject_code = held.subject_code
            and due.period_start_on = held.period_start_on
)

select * from final
