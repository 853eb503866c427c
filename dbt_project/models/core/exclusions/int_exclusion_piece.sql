with scoped as (
    select * from {{ ref('int_exclusion_scope') }}
),

bounds as (
    select
        exclusion_scope_code,
        audience,
        starts_at as bound_at
    from scoped
    union
    select
        exclusion_scope_code,
        audience,
        ends_at as bound_at
    from scoped
),

spans as (
    select
        exclusion_scope_code,
        audience,
        bound_at as from_at,
        lead(bound_at) over (partition by exclusion_scope_code, audience order by bound_at) as to_at
    from bounds
),

-- occurrences of one request may overlap: it covers a stretch once
covered_once as (
    select distinct
        spans.exclusion_scope_code,
        spans.audience,
        spans.from_at,
        spans.to_at,
        scoped.exclusion_id
    from spans
    inner join scoped
        on
            spans.exclusion_scope_code = scoped.exclusion_scope_code
            and spans.audience = scoped.audience
            and spans.from_at >= scoped.starts_at
            and spans.to_at <= scoped.ends_at
    where spans.to_at is not null
),

covered as (
    select
        exclusion_scope_code,
        audience,
        from_at,
        to_at,
        exclusion_id,
        count(*) over (partition by exclusion_scope_code, audience, from_at) as covering_count,
        -- time that several exclusions cover is credited once, to the first of them by id
        row_number() over (
            partition by exclusion_scope_code, audience, from_at
            order by exclusion_id
        ) = 1 as is_credited
    from covered_once
)

select * from covered
