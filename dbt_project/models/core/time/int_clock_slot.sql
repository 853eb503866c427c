{{ config(materialized='by_day') }}
{%- set first_day = clock_first_day() -%}
{%- set kinds = ['open', 'excluded'] -%}
{%- set slot_seconds = clock_slot_seconds() -%}
-- depends_on: {{ ref('int_clock_change') }}
with pieces as (
    select
        scope_id,
        cast(from_s - {{ clock_origin() }} as integer) as from_s,
        cast(to_s - {{ clock_origin() }} as integer) as to_s,
        active_seconds = 0 as is_excluded
    from {{ ref('int_clock_piece') }}
    {% if first_day %}where day_number >= {{ day_number("date '" ~ first_day ~ "'") }}{% endif %}
),

scopes as (
    select scope_id from {{ ref('int_clock_scope') }}
),

horizon as (
    select * from {{ ref('int_clock_horizon') }}
),

-- what the clock read when the day began
clock_days as (
    select
        scope_id,
        day_number,
        open_before_seconds,
        open_before_seconds - active_before_seconds as excluded_before_seconds
    from {{ ref('int_clock_day') }}
),

days as (
    select {{ date_spine("date '" ~ first_day ~ "'" if first_day else 'horizon.from_on', 'horizon.to_on') }} as day_on
    from horizon
),

quarters as (
    select {{ number_spine(0, 3) }} as quarter_number
),

scope_slots as (
    select
        scopes.scope_id,
        {{ day_number('days.day_on') }} as day_number,
        cast({{ int_div(clock_seconds('cast(days.day_on as timestamp)'), slot_seconds) }} as integer)
        + quarters.quarter_number as slot_number
    from scopes
    cross join days
    cross join quarters
),

-- a piece lies within one UTC day and so reaches into four slots at most
reached as (
    select
        pieces.scope_id,
        pieces.from_s,
        pieces.to_s,
        pieces.is_excluded,
        {{ int_div('pieces.from_s', slot_seconds) }} + quarters.quarter_number as slot_number
    from pieces
    cross join quarters
),

cut as (
    select
        scope_id,
        slot_number,
        greatest(from_s - slot_number * {{ slot_seconds }}, 0) as from_seconds,
        least(to_s - slot_number * {{ slot_seconds }}, {{ slot_seconds }}) as to_seconds,
        is_excluded
    from reached
    where slot_number * {{ slot_seconds }} < to_s
),

{% for kind in kinds -%}
-- pieces that touch are one
{{ kind }}_marked as (
    select
        scope_id,
        slot_number,
        from_seconds,
        to_seconds,
        case
            when lag(to_seconds) over (partition by scope_id, slot_number order by from_seconds) = from_seconds
                then 0
            else 1
        end as begins
    from cut
    {% if kind == 'excluded' %}where is_excluded{% endif %}
),

{{ kind }}_numbered as (
    select
        *,
        sum(begins) over (
            partition by scope_id, slot_number order by from_seconds
            rows between unbounded preceding and current row
        ) as piece_number
    from {{ kind }}_marked
),

{{ kind }}_merged as (
    select
        scope_id,
        slot_number,
        piece_number,
        min(from_seconds) as from_seconds,
        max(to_seconds) as to_seconds
    from {{ kind }}_numbered
    group by scope_id, slot_number, piece_number
),

{{ kind }}_wide as (
    select
        scope_id,
        slot_number,
        {% for number in range(1, clock_slot_pieces(kind) | int + 1) -%}
        max(case when piece_number = {{ number }} then from_seconds end) as from_{{ number }}_seconds,
        max(case when piece_number = {{ number }} then to_seconds end) as to_{{ number }}_seconds,
        {% endfor -%}
        count(*) as piece_count,
        sum(to_seconds - from_seconds) as slot_seconds,
        sum(from_seconds) as from_sum_seconds
    from {{ kind }}_merged
    group by scope_id, slot_number
),

{% endfor -%}
scope_size as (
    select max(scope_id) + 1 as scope_count from scopes
),

final as (
    select
        cast(scope_slots.slot_number * scope_size.scope_count + scope_slots.scope_id as integer) as slot_key,
        {% for kind in kinds -%}
        cast(
            clock_days.{{ kind }}_before_seconds + coalesce(sum({{ kind }}_wide.slot_seconds) over earlier, 0)
            - coalesce({{ kind }}_wide.from_sum_seconds, 0) as integer
        ) as {{ kind }}_base_seconds,
        cast(coalesce({{ kind }}_wide.piece_count, 0) as integer) as {{ kind }}_piece_count,
        {% for number in range(1, clock_slot_pieces(kind) | int + 1) -%}
        cast(coalesce({{ kind }}_wide.from_{{ number }}_seconds, 0) as integer) as {{ kind }}_from_{{ number }}_seconds,
        cast(coalesce({{ kind }}_wide.to_{{ number }}_seconds, 0) as integer) as {{ kind }}_to_{{ number }}_seconds,
        {% endfor -%}
        {% endfor -%}
        scope_slots.scope_id,
        scope_slots.day_number,
        scope_slots.slot_number
    from scope_slots
    cross join scope_size
    inner join clock_days
        on
            scope_slots.scope_id = clock_days.scope_id
            and scope_slots.day_number = clock_days.day_number
    {% for kind in kinds -%}
    left join {{ kind }}_wide
        on
            scope_slots.scope_id = {{ kind }}_wide.scope_id
            and scope_slots.slot_number = {{ kind }}_wide.slot_number
    {% endfor -%}
    window earlier as (
        partition by scope_slots.scope_id, scope_slots.day_number order by scope_slots.slot_number
        rows between unbounded preceding and 1 preceding
    )
)

select * from final
order by slot_key
