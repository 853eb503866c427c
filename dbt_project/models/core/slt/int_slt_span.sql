{#- The dictionary of situations is named in place and not as a CTE, so that DuckDB knows its keys are dense and each
    join is a look into an array (perfect hash join); conditions between both sides are subtractions, which are no
    part of the join. The threshold lets a range of tickets be grouped in an array, in their own order, so of time: what
    reads this table then looks at places of the clock that lie together. -#}
{{ config(
    materialized='by_ticket',
    pre_hook="set perfect_ht_threshold = 20",
    post_hook="reset perfect_ht_threshold"
) }}
{%- set slots = range(1, slt_slot_count() | int + 1) -%}
with contradictions as (
    select ticket_id from {{ ref('int_ticket') }}
    where has_history_contradiction and {{ for_tickets('ticket_id') }}
),

-- Of the steps that enter or leave an end only the first (first_stop) or the last counts. Instant and situation are
-- one number, and its sign makes the first one the greatest, so that one max a slot finds it. The first step of a
-- ticket is always among them.
turns as (
    select
        steps.ticket_id,
        min(
            case when steps.situation_before_id = 0 then {{ mark('steps.event_s', 'steps.situation_after_id') }} end
        ) as start_mark,
    {% for slot in slots -%}
    max(
        case
            when slots_after.is_ended_{{ slot }} - slots_before.is_ended_{{ slot }} <> 0
                then
                    slots_after.turn_sign_{{ slot }}
                    * {{ mark('steps.event_s', 'steps.situation_after_id') }}
        end
    ) as turn_mark_{{ slot }}{{ ',' if not loop.last }}
    {% endfor -%}
    from {{ ref('int_ticket_step') }} as steps
    inner join {{ ref('int_slt_situation_slot') }} as slots_after
        on steps.situation_after_id = slots_after.situation_id
    inner join {{ ref('int_slt_situation_slot') }} as slots_before
        on steps.situation_before_id = slots_before.situation_id
    where slots_after.ended_code - slots_before.ended_code <> 0 and {{ for_tickets('steps.ticket_id') }}
    group by steps.ticket_id
),

-- where the ticket is now; asked for only where some clock may still run
unsettled as (
    select
        steps.ticket_id,
        steps.situation_after_id as situation_id
    from {{ ref('int_ticket_step') }} as steps
    inner join {{ ref('int_slt_situation_slot') }} as slots_after
        on steps.situation_after_id = slots_after.situation_id
    where
        steps.next_event_s is null
        and slots_after.slot_code - slots_after.ended_code <> 0
        and {{ for_tickets('steps.ticket_id') }}
),

placed as (
    select
        turns.ticket_id,
        {{ mark_second('turns.start_mark') }} as start_s,
        {{ mark_situation('turns.start_mark') }} as start_situation_id,
    {% for slot in slots -%}
    abs(turns.turn_mark_{{ slot }}) as turn_mark_{{ slot }}{{ ',' if not loop.last }}
    {% endfor -%}
    from turns
),

-- an end that was left again for good is none
final as (
    select
        placed.ticket_id,
        placed.start_s,
        placed.start_situation_id,
    {% for slot in slots -%}
    case
        when end_slots_{{ slot }}.is_ended_{{ slot }} = 1 then {{ mark_second('placed.turn_mark_' ~ slot) }}
    end as end_s_{{ slot }},
    case
        when end_slots_{{ slot }}.is_ended_{{ slot }} = 1 then {{ mark_situation('placed.turn_mark_' ~ slot) }}
        else unsettled.situation_id
    end as end_situation_id_{{ slot }}{{ ',' if not loop.last }}
    {% endfor -%}
    from placed
    inner join {{ ref('int_slt_situation_slot') }} as start_slots
        on placed.start_situation_id = start_slots.situation_id
    {% for slot in slots -%}
    inner join {{ ref('int_slt_situation_slot') }} as end_slots_{{ slot }}
        on
            coalesce({{ mark_situation('placed.turn_mark_' ~ slot) }}, 0)
            = end_slots_{{ slot }}.situation_id
    {% endfor -%}
    left join unsettled on placed.ticket_id = unsettled.ticket_id
    left join contradictions on placed.ticket_id = contradictions.ticket_id
    -- a negative second is no part of a mark
    where start_slots.telescoped_code <> 0 and contradictions.ticket_id is null and placed.start_s >= 0
)

select * from final
