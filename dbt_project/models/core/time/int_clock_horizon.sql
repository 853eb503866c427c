with events as (
    select event_at from {{ ref('int_ticket_event') }}
),

run_context as (
    select as_of_at from {{ ref('int_run_context') }}
),

first_event as (
    select min(event_at) as first_event_at from events
),

-- a day of margin on both sides: local days of any zone that touch the first or the last instant are whole
horizon as (
    select
        {{ add_days('cast(coalesce(first_event.first_event_at, run_context.as_of_at) as date)', -2) }}
            as from_on,
        {{ add_days('cast(run_context.as_of_at as date)', 2) }} as to_on
    from run_context
    cross join first_event
)

select * from horizon
