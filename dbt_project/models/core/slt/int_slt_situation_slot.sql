{%- set slots = range(1, slt_slot_count() | int + 1) -%}
{%- set codes = ['ended', 'paused', 'telescoped'] -%}
with situations as (
    select * from {{ ref('int_slt_situation') }}
),

definitions as (
    select * from {{ ref('int_slt_definition') }}
),

simple as (
    select
        situations.situation_id,
        situations.slot_number,
        situations.own_role in ('stopped', 'canceled') as is_ended,
        situations.own_role = 'paused' as is_paused,
        -- what the telescoped sum can say of the whole clock from its situations alone
        situations.can_attach
        and definitions.reopen_policy in ('first_stop', 'running_through')
        and definitions.calendar_policy = 'of_target'
        and definitions.resume_policy = 'pause_not_met'
        and not definitions.has_reset as is_telescoped,
        definitions.reopen_policy = 'first_stop' as is_first_stop,
        definitions.target_policy = 'as_of_start' as is_as_of_start
    from situations
    inner join definitions
        on
            situations.slt_code = definitions.slt_code
            and situations.slt_version = definitions.slt_version
),

wide as (
    select
        situation_id,
        {% for slot in slots -%}
        max(case when slot_number = {{ slot }} and is_ended then 1 else 0 end) as is_ended_{{ slot }},
        max(case when slot_number = {{ slot }} and is_paused then 1 else 0 end) as is_paused_{{ slot }},
        max(case when slot_number = {{ slot }} and is_telescoped then 1 else 0 end)
            as is_telescoped_{{ slot }},
        max(case when slot_number = {{ slot }} and is_first_stop then 1 else 0 end) as is_first_stop_{{ slot }},
        max(case when slot_number = {{ slot }} and is_as_of_start then 1 else 0 end)
            as is_as_of_start_{{ slot }}{{ ',' if not loop.last }}
        {% endfor -%}
    from simple
    group by situation_id
),

-- a bit a slot: two situations differ in any slot when the codes do
coded as (
    select
        *,
        {% for code in codes -%}
        {% for slot in slots -%}
        {{ '+ ' if not loop.first }}is_{{ code }}_{{ slot }} * {{ 2 ** (slot - 1) }}
        {% endfor -%}
        as {{ code }}_code{{ ',' if not loop.last }}
        {% endfor -%}
    from wide
),

-- before the first event
nothing as (
    select
        0 as situation_id,
        {% for slot in slots -%}
        0 as is_ended_{{ slot }},
        0 as is_paused_{{ slot }},
        0 as is_telescoped_{{ slot }},
        0 as is_first_stop_{{ slot }},
        0 as is_as_of_start_{{ slot }},
        {% endfor -%}
        {% for code in codes -%}
        0 as {{ code }}_code{{ ',' if not loop.last }}
        {% endfor -%}
),

final as (
    select * from coded
    union all
    select * from nothing
)

select * from final
order by situation_id
