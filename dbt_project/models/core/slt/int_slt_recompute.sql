{{ config(post_hook="{{ keep_pending() }}") }}
{%- set exclusion = clock_memory('exclusion') -%}
{%- set calendar = clock_memory('calendar') -%}
{%- set rules = clock_memory('rules') -%}
{%- set pending = clock_memory('pending') -%}
{%- set situation = clock_memory('situation') -%}
{%- set scope = clock_memory('scope') -%}
{%- set terms = clock_memory('terms') -%}
{%- set result = earlier_build('int_slt_result') -%}
{%- set outline = earlier_build('int_slt_outline') -%}
{%- set interval = earlier_build('int_slt_interval') -%}
{%- set has_memory = clock_has_memory() -%}
-- depends_on: {{ ref('int_ticket_history') }}
-- depends_on: {{ ref('int_exclusion_scope') }}
-- depends_on: {{ ref('int_calendar_segment') }}
-- depends_on: {{ ref('int_clock_scope') }}
-- depends_on: {{ ref('int_ticket_situation') }}
-- depends_on: {{ ref('int_slt_slot_terms') }}
-- depends_on: {{ ref('slt_target') }}
with rules_now as (
    select * from {{ ref('int_slt_rules') }}
),

{% if has_memory -%}
-- tickets that are new, gone, or not what they were: events, attributes and exclusion scope, whatever the cause
histories as (
    select * from {{ ref('int_ticket_history') }}
),

exclusions as (
    select * from {{ ref('int_exclusion_scope') }}
),

segments as (
    select * from {{ ref('int_calendar_segment') }}
),

scopes as (
    select * from {{ ref('int_clock_scope') }}
),

situations as (
    select * from {{ ref('int_ticket_situation') }}
),

slot_terms as (
    select {{ clock_memory_columns('terms') }} from {{ ref('int_slt_slot_terms') }}
),

targets as (
    select * from {{ ref('slt_target') }}
),

-- other rules than last time, or an earlier as_of: nothing can be kept
everything as (
    select 'rules_changed' as reason
    from rules_now
    left join {{ rules }} as remembered
        on
            rules_now.rules_fingerprint = remembered.rules_fingerprint
            and rules_now.as_of_at >= remembered.as_of_at
    where remembered.rules_fingerprint is null
    union
    -- numbers that mean something else than when the rows that are kept were written
    select 'registry_changed' as reason
    from (
        (select * from {{ situation }} except select {{ clock_memory_columns('situation') }} from situations)
        union all by name
        (select * from {{ scope }} except select {{ clock_memory_columns('scope') }} from scopes)
        union all by name
        (select * from {{ terms }} except select * from slot_terms)
    ) as forgotten
),

-- a clock without an end counts to as_of, and says so
still_open as (
    select ticket_id from {{ result }}
    where as_of_at is not null
    union all
    -- one without a target has no result
    select ticket_id from {{ outline }}
    where as_of_at is not null
),

changed_windows as (
    {{ rows_that_differ(
        ['exclusion_scope_code', 'audience', 'exclusion_id', 'starts_at', 'ends_at'], 'exclusions', exclusion
    ) }}
),

-- what begins after the instant the clocks were counted to reaches none of them: a day that came with the horizon, and
-- the end of the one before it
changed_segments as (
    select
        changed.calendar_code,
        changed.opens_at,
        changed.closes_at
    from (
        {{ rows_that_differ(['calendar_code', 'opens_at', 'closes_at'], 'segments', calendar) }}
    ) as changed
    inner join {{ rules }} as remembered on changed.opens_at <= remembered.as_of_at
),

changed_scopes as (
    select
        scopes.scope_id,
        changed_windows.starts_at as from_at,
        changed_windows.ends_at as to_at
    from scopes
    inner join changed_windows
        on
            scopes.exclusion_scope_code = changed_windows.exclusion_scope_code
            and scopes.audience = changed_windows.audience
    union
    select
        scopes.scope_id,
        changed_segments.opens_at as from_at,
        changed_segments.closes_at as to_at
    from scopes
    inner join changed_segments on scopes.calendar_code = changed_segments.calendar_code
),

touched as (
    select results.ticket_id
    from {{ result }} as results
    inner join changed_scopes
        on
            results.scope_id = changed_scopes.scope_id
            and results.start_at < changed_scopes.to_at
            and results.end_at > changed_scopes.from_at
    union
    select intervals.ticket_id
    from {{ interval }} as intervals
    inner join changed_scopes
        on
            intervals.scope_id = changed_scopes.scope_id
            and intervals.from_at < changed_scopes.to_at
            and intervals.to_at > changed_scopes.from_at
    union
    -- a start that has come to lie in hours a target asks for, or no longer does
    select outlines.ticket_id
    from {{ outline }} as outlines
    inner join changed_segments
        on
            outlines.start_at >= changed_segments.opens_at
            and outlines.start_at < changed_segments.closes_at
    where changed_segments.calendar_code in (
            select targets.starts_within_calendar_code from targets
            where targets.starts_within_calendar_code is not null
        )
),

listed as (
    select
        0 as ticket_id,
        reason
    from everything
    union all
    select
        ticket_id,
        'history_changed' as reason
    from histories
    union all
    select
        ticket_id,
        'clock_running' as reason
    from still_open
    union all
    select
        ticket_id,
        'clock_changed' as reason
    from touched
    {%- if pending %}
    union all
    select
        ticket_id,
        'left_by_a_run_that_died' as reason
    from {{ pending }}
    {%- endif %}
),
{%- else -%}
listed as (
    select
        0 as ticket_id,
        '{{ 'nothing_remembered' if var('slt_incremental') else 'always_whole' }}' as reason
    from rules_now
),
{%- endif %}

final as (
    select
        cast(listed.ticket_id as integer) as ticket_id,
        {{ string_list('listed.reason', 'listed.reason') }} as reasons
    from (
        select distinct
            ticket_id,
            reason
        from listed
    ) as listed
    group by listed.ticket_id
)

select * from final
