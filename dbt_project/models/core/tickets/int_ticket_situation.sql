{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}
{%- set columns = [
    'source_system', 'ticket_state', 'priority', 'service_code', 'team_code', 'contract_code', 'exclusion_scope_code'
] -%}
with tickets as (
    select * from {{ ref('int_ticket') }}
),

events as (
    select * from {{ ref('int_ticket_event') }}
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
    inner join tickets on events.ticket_key = tickets.ticket_key
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
