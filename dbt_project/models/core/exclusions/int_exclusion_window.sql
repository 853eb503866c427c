with scoped as (
    select * from {{ ref('int_exclusion_scope') }}
),

flagged as (
    select
        *,
        max(ends_at) over (
            partition by exclusion_scope_code, audience
            order by starts_at, ends_at, exclusion_id, occurrence_number
            rows between unbounded preceding and 1 preceding
        ) as earlier_ends_at
    from scoped
),

numbered as (
    select
        *,
        sum(case when earlier_ends_at is null or starts_at > earlier_ends_at then 1 else 0 end) over (
            partition by exclusion_scope_code, audience
            order by starts_at, ends_at, exclusion_id, occurrence_number
            rows between unbounded preceding and current row
        ) as window_number
    from flagged
),

merged as (
    select
        exclusion_scope_code,
        audience,
        cast(window_number as integer) as window_number,
        min(starts_at) as starts_at,
        max(ends_at) as ends_at,
        {{ distinct_list('exclusion_id') }} as exclusion_ids,
        {{ distinct_list('exclusion_source') }} as exclusion_sources
    from numbered
    group by exclusion_scope_code, audience, window_number
)

select * from merged
