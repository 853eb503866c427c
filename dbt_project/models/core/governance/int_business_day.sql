-- Working days of every calendar over the time disputes may take, numbered, so that a term of n working days is one
-- look-up.
with calendars as (
    select * from {{ ref('calendar') }}
),

segments as (
    select * from {{ ref('calendar_segment') }}
),

holidays as (
    select * from {{ ref('calendar_holiday') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

disputes as (
    select * from {{ ref('dispute') }}
),

first_dispute as (
    select min(opened_at) as opened_at
    from disputes
),

horizon as (
    select
        {{ add_days(
            'cast(least(coalesce(first_dispute.opened_at, run_context.as_of_at), run_context.as_of_at) as date)', -14
        ) }} as from_on,
        {{ add_days('cast(run_context.as_of_at as date)', 120) }} as to_on
    from run_context
    cross join first_dispute
),

{{ opening_segments() }},

days as (
    select distinct
        calendar_code,
        local_on
    from opening_segments
),

final as (
    select
        calendar_code,
        local_on as business_on,
        row_number() over (partition by calendar_code order by local_on) as business_day_number
    from days
)

select * from final
