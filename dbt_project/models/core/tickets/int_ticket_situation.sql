{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}
{%- set columns = [
    'source_system', 'ticket_state', 'priority', 'service_code', 'team_code', 'contract_code', 'exclusion_scope_code'
] -%}
{#- Only a ticket that changed can bring a situation that has no number, as long as the numbers given are all there. -#}
{%- set has_memory = is_incremental() and clock_has_memory() and (run_query(
    'select count(*) from (select * from ' ~ clock_memory('situation') ~ ' except select * from ' ~ this ~ ') as forgotten'
)[0][0] | int) == 0 -%}
{%- set ranges = ticket_ranges(earlier_build('int_ticket_history')) if has_memory else [] -%}
{%- set is_changed = 'ticket_id in (select ticket_id from ' ~ ref('int_ticket_history') ~ ') and '
    ~ in_ranges('ticket_id', ranges) -%}
with tickets as (
    select * from {{ ref('int_ticket') }}
    {% if has_memory %}where {{ is_changed }}{% endif %}
),

events as (
    select * from {{ ref('int_ticket_event') }}
    {% if has_memory %}where {{ is_changed }}{% endif %}
),

held as (
    select distinct
        tickets.source_system,
        events.ticket_state,
        events.priority,
        events.service_code,
        events.team_code,
        events.contract_code,
        events.exclusion_scope_code
    from events
    inner join tickets on events.ticket_id = tickets.ticket_id
),

unnumbered as (
    select * from held
    {%- if is_incremental() %}
    except
    select {{ columns | join(', ') }} from {{ this }}
    {%- endif %}
),

numbered as (
    select
        cast(
            row_number() over (order by {{ columns | join(' nulls first, ') }} nulls first)
            {%- if is_incremental() %}
            + (select coalesce(max(numbers.situation_id), 0) from {{ this }} as numbers){% endif %} as integer
        ) as situation_id,
        *
    from unnumbered
)

select * from numbered
