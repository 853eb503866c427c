{#- One pass over all events and tickets, and the only one that a run of the clock by difference makes. -#}
with events as (
    select
        {{ ticket_block('ticket_id') }} as block_id,
        {{ ticket_event_fingerprint() }} as fingerprint
    from {{ ref('int_ticket_event') }}
),

tickets as (
    select
        {{ ticket_block('ticket_id') }} as block_id,
        {{ ticket_record_fingerprint() }} as fingerprint
    from {{ ref('int_ticket') }}
),

parts as (
    select
        block_id,
        {{ fingerprint_sum('fingerprint') }} as fingerprint
    from events
    group by block_id
    union all
    select
        block_id,
        {{ fingerprint_sum('fingerprint') }} as fingerprint
    from tickets
    group by block_id
),

found as (
    select
        block_id,
        {{ fingerprint_sum('fingerprint') }} as fingerprint
    from parts
    group by block_id
),

final as (
    {% if clock_has_memory() -%}
    -- a block without a fingerprint is one that holds no ticket any more
    select
        coalesce(found.block_id, remembered.block_id) as block_id,
        found.fingerprint
    from found
    full join {{ clock_memory('block') }} as remembered on found.block_id = remembered.block_id
    where found.fingerprint is distinct from remembered.fingerprint
    {%- else -%}
    -- nothing to compare with: every ticket is looked at, and the blocks are summed up from them
    select
        block_id,
        fingerprint
    from found
    where false
    {%- endif %}
)

select * from final
