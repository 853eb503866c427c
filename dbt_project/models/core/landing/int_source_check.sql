-- Every time a source answered: how far its data reached from then on, and when the next delivery was due.
with entities as (
    select * from {{ ref('int_source_entity') }}
),

batches as (
    select
        source,
        entity,
        finished_at as checked_at,
        window_end_at as covered_to_at,
        true as has_new_content
    from {{ source('landing', 'extract_batch') }}
),

checks as (
    select
        source,
        entity,
        checked_at,
        covered_to_at,
        false as has_new_content
    from {{ source('landing', 'entity_check') }}
),

calendars as (
    select * from {{ ref('calendar') }}
),

segments as (
    select * from {{ ref('calendar_segment') }}
),

holidays as (
    select * from {{ ref('calendar_holiday') }}
),

answers as (
    select * from batches
    union all
    select * from checks
),

-- a list reaches to the instant it was taken, files to the instant the last one came, the rest to the end of the
-- latest window
shifted as (
    select
        entities.source_name,
        entities.entity_name,
        entities.partitioning,
        entities.as_of_at,
        entities.promised_seconds,
        entities.calendar_code,
        least(
            {{ whole_second(add_seconds('answers.checked_at', 'entities.shift_seconds')) }}, entities.as_of_at
        ) as checked_at,
        answers.covered_to_at,
        answers.has_new_content
    from answers
    inner join entities on answers.source = entities.source_name and answers.entity = entities.entity_name
),

answered as (
    select
        source_name,
        entity_name,
        partitioning,
        as_of_at,
        promised_seconds,
        calendar_code,
        checked_at,
        max(
            case
                when partitioning = 'snapshot' or (partitioning = 'file' and has_new_content) then checked_at
                else covered_to_at
            end
        ) as reached_at
    from shifted
    group by source_name, entity_name, partitioning, as_of_at, promised_seconds, calendar_code, checked_at
),

known as (
    select
        *,
        max(reached_at) over (
            partition by source_name, entity_name order by checked_at
            rows between unbounded preceding and current row
        ) as current_to_at,
        lead(checked_at) over (partition by source_name, entity_name order by checked_at) as next_checked_at
    from answered
),

expecting as (
    select
        *,
        case
            when partitioning in ('daily', 'snapshot') then {{ add_seconds('current_to_at', 86400) }}
            when partitioning = 'monthly' then cast({{ add_months('current_to_at', 1) }} as timestamp)
            else current_to_at
        end as expected_at
    from known
),

deadlines as (
    select distinct
        calendar_code,
        promised_seconds,
        expected_at
    from expecting
    where promised_seconds is not null and calendar_code <> 'always'
),

-- 75 days after as-of: the longest promise of a next month is still found
horizon as (
    select
        {{ add_days('cast(min(expected_at) as date)', -2) }} as from_on,
        {{ add_days('cast(max(as_of_at) as date)', 75) }} as to_on
    from expecting
    where promised_seconds is not null and calendar_code <> 'always'
),

{{ opening_segments() }},

-- the first segment in which as many open seconds have passed since the expected instant as are promised
ahead as (
    select
        deadlines.calendar_code,
        deadlines.promised_seconds,
        deadlines.expected_at,
        opening_segments.closes_at,
        sum({{ seconds_between(
            'greatest(opening_segments.opens_at, deadlines.expected_at)', 'opening_segments.closes_at'
        ) }}) over (
            partition by deadlines.calendar_code, deadlines.promised_seconds, deadlines.expected_at
            order by opening_segments.closes_at
            rows between unbounded preceding and current row
        ) as open_seconds
    from deadlines
    inner join opening_segments
        on
            deadlines.calendar_code = opening_segments.calendar_code
            and opening_segments.closes_at > deadlines.expected_at
),

reached as (
    select
        calendar_code,
        promised_seconds,
        expected_at,
        {{ add_seconds('closes_at', 'promised_seconds - open_seconds') }} as due_at
    from ahead
    where open_seconds >= promised_seconds
    qualify row_number() over (
            partition by calendar_code, promised_seconds, expected_at order by closes_at
        ) = 1
),

final as (
    select
        expecting.source_name,
        expecting.entity_name,
        expecting.checked_at,
        expecting.next_checked_at,
        expecting.current_to_at,
        expecting.expected_at,
        case
            when expecting.promised_seconds is null then null
            when expecting.calendar_code = 'always'
                then {{ add_seconds('expecting.expected_at', 'expecting.promised_seconds') }}
            else reached.due_at
        end as due_at
    from expecting
    left join reached
        on
            expecting.calendar_code = reached.calendar_code
            and expecting.promised_seconds = reached.promised_seconds
            and expecting.expected_at = reached.expected_at
)

select * from final
