with calendars as (
    select * from {{ ref('calendar') }}
),

segments as (
    select * from {{ ref('calendar_segment') }}
),

holidays as (
    select * from {{ ref('calendar_holiday') }}
),

horizon as (
    select * from {{ ref('int_clock_horizon') }}
),

{{ opening_segments() }}

select * from opening_segments
