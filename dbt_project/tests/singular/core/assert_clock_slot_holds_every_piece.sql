-- A slot in which the clock's reading at its end is not the reading at the next one's start: it has more pieces
-- than the row has places for. Raise clock_slot_pieces.
{%- set kinds = ['open', 'excluded'] %}
with readings as (
    select
        scope_id,
        slot_number,
    {% for kind in kinds -%}
        {{ kind }}_base_seconds
        {%- for number in range(1, clock_slot_pieces(kind) | int + 1) %}
        + {{ kind }}_to_{{ number }}_seconds
        {%- endfor %} as {{ kind }}_at_end,
        lead(
            {{ kind }}_base_seconds
            {%- for number in range(1, clock_slot_pieces(kind) | int + 1) %}
            + {{ kind }}_from_{{ number }}_seconds
            {%- endfor %}
        ) over (partition by scope_id order by slot_number) as {{ kind }}_at_next_start{{ ',' if not loop.last }}
    {% endfor %}
    from {{ ref('int_clock_slot') }}
)

select *
from readings
where open_at_end <> open_at_next_start or excluded_at_end <> excluded_at_next_start
