with candidates as (
    select * from {{ ref('int_slt_situation_target') }}
),

scopes as (
    select * from {{ ref('int_clock_scope') }}
),

-- the days at which the row that counts may change
bounds as (
    select
        situation_id,
        slt_code,
        slt_version,
        effective_from as from_on
    from candidates
    union
    select
        situation_id,
        slt_code,
        slt_version,
        {{ add_days('effective_to', 1) }} as from_on
    from candidates
    where effective_to < date '9999-12-31'
),

spans as (
    select
        situation_id,
        slt_code,
        slt_version,
        from_on,
        coalesce(
            {{ add_days(
                'lead(from_on) over (partition by situation_id, slt_code, slt_version order by from_on)', -1
            ) }},
            date '9999-12-31'
        ) as to_on
    from bounds
),

chosen as (
    select
        spans.situation_id,
        spans.slt_code,
        spans.slt_version,
        spans.from_on,
        spans.to_on,
        candidates.exclusion_scope_code,
        candidates.business_unit_code,
        candidates.audience,
        candidates.calendar_code,
        candidates.target_seconds,
        candidates.tolerance_seconds,
        max(case when candidates.starts_within_calendar_code is not null then 1 else 0 end) over (
            partition by spans.situation_id, spans.slt_code, spans.slt_version
        ) = 1 as depends_on_start_hour
    from spans
    inner join candidates
        on
            spans.situation_id = candidates.situation_id
            and spans.slt_code = candidates.slt_code
            and spans.slt_version = candidates.slt_version
            and spans.from_on >= candidates.effective_from
            and spans.from_on <= candidates.effective_to
    qualify row_number() over (
            partition by spans.situation_id, spans.slt_code, spans.slt_version, spans.from_on
            order by {{ best_target_first() }}
        ) = 1
),

final as (
    select
        chosen.situation_id,
        chosen.slt_code,
        chosen.slt_version,
        chosen.from_on,
        chosen.to_on,
        chosen.business_unit_code,
        chosen.calendar_code,
        scopes.scope_id,
        chosen.target_seconds,
        chosen.tolerance_seconds,
        chosen.depends_on_start_hour
    from chosen
    inner join scopes
        on
            chosen.calendar_code = scopes.calendar_code
            and chosen.exclusion_scope_code = scopes.exclusion_scope_code
            and chosen.audience = scopes.audience
)

select * from final
