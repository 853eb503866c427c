{%- set slots = range(1, slt_slot_count() | int + 1) -%}
{#- a bit a slot: two situations differ in any slot when their codes do -#}
{%- set slot_bit -%}
case situations.slot_number{% for slot in slots %} when {{ slot }} then {{ 2 ** (slot - 1) }}{% endfor %} else 0 end
{%- endset -%}
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
        {{ slot_bit }} as slot_bit,
        situations.own_role in ('stopped', 'canceled') as is_ended,
        situations.own_role = 'canceled' as is_canceled,
        situations.own_role = 'paused' as is_paused,
        -- what the telescoped sum can say of the whole clock from its situations alone
        {{ var('slt_telescoping') | string | lower }} and situations.can_attach
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
        cast(sum(slot_bit) as integer) as slot_code,
        cast(sum(case when is_ended then slot_bit else 0 end) as integer) as ended_code,
        cast(sum(case when is_paused then slot_bit else 0 end) as integer) as paused_code,
        cast(sum(case when is_telescoped then slot_bit else 0 end) as integer) as telescoped_code,
    {% for slot in slots -%}
    max(case when slot_number = {{ slot }} and is_ended then 1 else 0 end) as is_ended_{{ slot }},
    max(case when slot_number = {{ slot }} and is_canceled then 1 else 0 end) as is_canceled_{{ slot }},
    max(case when slot_number = {{ slot }} and is_paused then 1 else 0 end) as is_paused_{{ slot }},
    max(case when slot_number = {{ slot }} and is_telescoped then 1 else 0 end)
        as is_telescoped_{{ slot }},
    min(case when slot_number = {{ slot }} and is_first_stop then -1 else 1 end) as turn_sign_{{ slot }},
    max(case when slot_number = {{ slot }} and is_as_of_start then 1 else 0 end)
        as is_as_of_start_{{ slot }}{{ ',' if not loop.last }}
    {% endfor -%}
    from simple
    group by situation_id
),

-- before the first event; its code is no other's, so that the first step is always a change
nothing as (
    select
        0 as situation_id,
        0 as slot_code,
        -1 as ended_code,
        0 as paused_code,
        0 as telescoped_code,
    {% for slot in slots -%}
    0 as is_ended_{{ slot }},
    0 as is_canceled_{{ slot }},
    0 as is_paused_{{ slot }},
    0 as is_telescoped_{{ slot }},
    1 as turn_sign_{{ slot }},
    0 as is_as_of_start_{{ slot }}{{ ',' if not loop.last }}
    {% endfor -%}
),

final as (
    select * from wide
    union all
    select * from nothing
)

select * from final
order by situation_id
