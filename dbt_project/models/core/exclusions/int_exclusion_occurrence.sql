with rules as (
    select * from {{ ref('int_exclusion_rule') }}
    where recurrence_fault is null
),

categories as (
    select * from {{ ref('exclusion_category') }}
),

maintenance_windows as (
    select * from {{ ref('int_maintenance_window') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

-- a rule without an end is laid out to a year after as_of
spans as (
    select
        rules.*,
        least(
            {{ add_days('cast(run_context.as_of_at as date)', 366) }},
            coalesce({{ add_days('cast(rules.until_at as date)', 1) }}, date '9999-12-31')
        ) as last_on
    from rules
    cross join run_context
    where rules.recurrence is not null
),

candidate_days as (
    select
        exclusion_id,
        {{ date_spine('first_on', 'last_on') }} as day_on
    from spans
),

recurring as (
    select
        spans.exclusion_id,
        spans.category,
        spans.approved_at,
        spans.time_zone,
        spans.limit_count,
        spans.until_at,
        spans.excluded_starts,
        {{ add_seconds(
            'spans.first_starts_local', '86400 * ' ~ day_count('spans.first_on', 'candidate_days.day_on')
        ) }} as starts_local,
        {{ add_seconds(
            'spans.first_ends_local', '86400 * ' ~ day_count('spans.first_on', 'candidate_days.day_on')
        ) }} as ends_local,
        row_number() over (partition by spans.exclusion_id order by candidate_days.day_on) as rule_number
    from spans
    inner join candidate_days on spans.exclusion_id = candidate_days.exclusion_id
    where {{ recurs_on('spans', 'candidate_days.day_on') }}
),

occurring as (
    select
        exclusion_id,
        category,
        approved_at,
        time_zone,
        until_at,
        starts_local,
        ends_local,
        rule_number
    from recurring
    where
        rule_number <= coalesce(limit_count, rule_number)
        -- COUNT counts what EXDATE takes out
        and not coalesce(';' || excluded_starts || ';' like '%;' || cast(starts_local as varchar) || ';%', false)
    union all
    select
        exclusion_id,
        category,
        approved_at,
        time_zone,
        until_at,
        first_starts_local as starts_local,
        first_ends_local as ends_local,
        1 as rule_number
    from rules
    where recurrence is null
),

converted as (
    select
        exclusion_id,
        category,
        approved_at,
        until_at,
        rule_number,
        {{ local_to_utc_first('starts_local', 'time_zone') }} as starts_at,
        {{ local_to_utc_first('ends_local', 'time_zone') }} as ends_at
    from occurring
),

-- a window that lies wholly in an hour the clocks skip is no window
requested as (
    select
        converted.exclusion_id,
        cast(converted.rule_number as integer) as occurrence_number,
        converted.starts_at,
        converted.ends_at,
        not coalesce(categories.is_advance_approval_required, false)
        or coalesce(converted.approved_at <= converted.starts_at, false) as is_usable
    from converted
    left join categories on converted.category = categories.category
    where
        converted.ends_at > converted.starts_at
        and converted.starts_at <= coalesce(converted.until_at, converted.starts_at)
),

final as (
    select
        exclusion_id,
        occurrence_number,
        starts_at,
        ends_at,
        is_usable
    from requested
    union all
    select
        exclusion_id,
        1 as occurrence_number,
        starts_at,
        ends_at,
        true as is_usable
    from maintenance_windows
    where ends_at > starts_at
)

select * from final
