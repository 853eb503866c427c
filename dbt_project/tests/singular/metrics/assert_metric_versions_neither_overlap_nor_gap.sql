-- Two versions of a metric in force on one day would give a team two results; a day without one would give none.
-- Judged on what is in force: a proposal stands beside the version it is to follow until its gates let it through.
with version_order as (
    select
        metric_code,
        metric_version,
        effective_from,
        effective_to,
        lead(effective_from) over (partition by metric_code order by effective_from) as next_from
    from {{ ref('int_metric_version_period') }}
),

failure as (
    select *
    from version_order
    where
        effective_to < effective_from
        or (
            next_from is not null
            and (effective_to is null or {{ add_days('effective_to', 1) }} <> next_from)
        )
)

select * from failure
