{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}
with tickets as (
    select * from {{ ref('int_ticket_record') }}
),

unnumbered as (
    select
        tickets.ticket_key,
        tickets.opened_at
    from tickets
    {%- if is_incremental() %}
left join {{ this }} as known on tickets.ticket_key = known.ticket_key
where known.ticket_key is null
    {%- endif %}
),

numbered as (
    select
        ticket_key,
        cast(
            row_number() over (order by opened_at, ticket_key)
            {%- if is_incremental() %}
            + (select coalesce(max(numbers.ticket_id), 0) from {{ this }} as numbers){% endif %} as integer
        ) as ticket_id
    from unnumbered
)

select * from numbered
