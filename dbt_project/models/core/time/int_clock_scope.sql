{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}
with candidates as (
    select * from {{ ref('int_slt_situation_target') }}
),

used as (
    select
        calendar_code,
        exclusion_scope_code,
        audience
    from candidates
    union
    select
        starts_within_calendar_code as calendar_code,
        '' as exclusion_scope_code,
        audience
    from candidates
    where starts_within_calendar_code is not null
),

unnumbered as (
    select * from used
    {%- if is_incremental() %}
    except
    select
        calendar_code,
        exclusion_scope_code,
        audience
    from {{ this }}
    {%- endif %}
),

numbered as (
    select
        cast(
            row_number() over (order by calendar_code, exclusion_scope_code, audience)
            {%- if is_incremental() %}
            + (select coalesce(max(numbers.scope_id), 0) from {{ this }} as numbers){% endif %} as integer
        ) as scope_id,
        calendar_code,
        exclusion_scope_code,
        audience
    from unnumbered
)

select * from numbered
