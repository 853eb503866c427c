-- A person is paid for each day of a quarter at most once, and never for a day outside it.
with segment as (
    select distinct
        employee_number,
        earned_quarter,
        period_start_on,
        period_end_on,
        segment_start_on,
        segment_end_on,
        segment_days,
        quarter_days
    from {{ ref('fct_incentive_payout') }}
),

ordered as (
    select
        *,
        lag(segment_end_on) over (
            partition by employee_number, earned_quarter order by segment_start_on
        ) as previous_end_on
    from segment
),

failure as (
    select *
    from ordered
    where
        segment_start_on < period_start_on
        or segment_end_on >= period_end_on
        or segment_end_on < segment_start_on
        or segment_days <> {{ day_count('segment_start_on', 'segment_end_on') }} + 1
        or quarter_days <> {{ day_count('period_start_on', 'period_end_on') }}
        or previous_end_on >= segment_start_on
)

select * from failure
