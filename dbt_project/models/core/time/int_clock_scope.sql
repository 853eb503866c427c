with assignments as (
    select * from {{ ref('int_slt_assignment') }}
),

used as (
    select distinct
        calendar_code,
        coalesce(service_code, '') as service_code,
        exclusion_audience as audience
    from assignments
),

numbered as (
    select
        cast(row_number() over (order by calendar_code, service_code, audience) as integer) as scope_id,
        calendar_code,
        service_code,
        audience
    from used
)

select * from numbered
