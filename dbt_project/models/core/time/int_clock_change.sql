{{ config(post_hook="{{ keep_pending_day() }}") }}
{%- set pending = clock_memory('pending_day') -%}
-- depends_on: {{ ref('int_calendar_segment') }}
-- depends_on: {{ ref('int_exclusion_window') }}
-- depends_on: {{ ref('int_clock_scope') }}
-- depends_on: {{ ref('int_slt_rules') }}
with horizon as (
    select * from {{ ref('int_clock_horizon') }}
),

{% if clock_has_memory() -%}
segments as (
    select * from {{ ref('int_calendar_segment') }}
),

windows as (
    select * from {{ ref('int_exclusion_window') }}
),

scopes as (
    select * from {{ ref('int_clock_scope') }}
),

rules_now as (
    select * from {{ ref('int_slt_rules') }}
),

changed_segments as (
    {{ rows_that_differ(['calendar_code', 'opens_at', 'closes_at'], 'segments', clock_memory('calendar')) }}
),

changed_windows as (
    {{ rows_that_differ(
        ['exclusion_scope_code', 'audience', 'starts_at', 'ends_at'], 'windows', clock_memory('window')
    ) }}
),

changed_scopes as (
    {{ rows_that_differ(
        ['scope_id', 'calendar_code', 'exclusion_scope_code', 'audience'], 'scopes', clock_memory('scope')
    ) }}
),

-- what makes every day another one: a scope that came or went, another beginning, other rules
everything as (
    select horizon.from_on
    from horizon
    inner join {{ clock_memory('horizon') }} as remembered on horizon.from_on <> remembered.from_on
    union all
    select horizon.from_on
    from horizon
    cross join changed_scopes
    union all
    select horizon.from_on
    from horizon
    cross join rules_now
    inner join {{ clock_memory('rules') }} as remembered
        on rules_now.rules_fingerprint <> remembered.rules_fingerprint
    {%- if pending %}
    union all
    select horizon.from_on
    from horizon
    cross join {{ pending }} as left_over
    where left_over.from_on is null
    {%- endif %}
),

-- a row reaches no day before the one it begins on; of the horizon only the days that came or went are others
changed_days as (
    select cast(opens_at as date) as changed_on from changed_segments
    union all
    select cast(starts_at as date) as changed_on from changed_windows
    union all
    select {{ add_days('least(horizon.to_on, remembered.to_on)', 1) }} as changed_on
    from horizon
    cross join {{ clock_memory('horizon') }} as remembered
    {%- if pending %}
    union all
    select from_on as changed_on from {{ pending }}
    {%- endif %}
),

final as (
    select
        case
            when (select count(*) from everything) = 0 then min(changed_on)
        end as from_on
    from changed_days
)
{%- else -%}
final as (
    select cast(null as date) as from_on
    from horizon
)
{%- endif %}

select * from final
