with scoped as (
    select * from {{ ref('int_exclusion_scope') }}
),

bounds as (
    select
        service_code,
        audience,
        starts_at as bound_at
    from scoped
    union
    select
        service_code,
        audience,
        ends_at as bound_at
    from scoped
),

spans as (
    select
        service_code,
        audience,
        bound_at as from_at,
        lead(bound_at) over (partition by service_code, audience order by bound_at) as to_at
    from bounds
),

covered as (
    select
        spans.service_code,
        spans.audience,
        spans.from_at,
        spans.to_at,
        scoped.exclusion_id,
        count(*) over (partition by spans.service_code, spans.audience, spans.from_at) as covering_count,
        -- time that several exclusions cover is credited once, to the first of them by id
        row_number() over (
            partition by spans.service_code, spans.audience, spans.from_at
            order by scoped.exclusion_id
        ) = 1 as is_credited
    from spans
    inner join scoped
        on
            spans.service_code = scoped.service_code
            and spans.audience = scoped.audience
            and spans.from_at >= scoped.starts_at
            and spans.to_at <= scoped.ends_at
    where spans.to_at is not null
)

select * from covered
