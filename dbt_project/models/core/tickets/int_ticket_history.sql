{%- set has_memory = clock_has_memory() -%}
{%- set ranges = ticket_ranges(earlier_build('int_ticket_block'), 'block_id') if has_memory else [] -%}
{%- set in_changed_blocks = ticket_block('ticket_id') ~ ' in (select block_id from ' ~ ref('int_ticket_block')
    ~ ') and ' ~ in_ranges('ticket_id', ranges) -%}
with events as (
    select
        ticket_id,
        {{ ticket_event_fingerprint() }} as fingerprint
    from {{ ref('int_ticket_event') }}
    {% if has_memory %}where {{ in_changed_blocks }}{% endif %}
),

tickets as (
    select
        ticket_id,
        {{ ticket_record_fingerprint() }} as fingerprint
    from {{ ref('int_ticket') }}
    {% if has_memory %}where {{ in_changed_blocks }}{% endif %}
),

parts as (
    select * from events
    union all
    select * from tickets
),

found as (
    select
        ticket_id,
        {{ fingerprint_sum('fingerprint') }} as fingerprint
    from parts
    group by ticket_id
),

{% if has_memory -%}
remembered as (
    select * from {{ clock_memory('history') }}
    where {{ in_changed_blocks }}
),

-- a ticket without a fingerprint is one that is gone
final as (
    select
        coalesce(found.ticket_id, remembered.ticket_id) as ticket_id,
        found.fingerprint
    from found
    full join remembered on found.ticket_id = remembered.ticket_id
    where found.fingerprint is distinct from remembered.fingerprint
)
{%- else -%}
final as (
    select * from found
)
{%- endif %}

select * from final
