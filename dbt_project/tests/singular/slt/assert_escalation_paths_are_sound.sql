-- A path whose levels leave a gap or do not ascend, that says nobody when the target is reached, that is for two kinds
-- of tickets at once, or two paths for one kind on the same day: a breach would be escalated to whom chance picks.
with levels as (
    select
        *,
        coalesce(phase, '') || '/' || coalesce(service_code, '') || '/' || coalesce(cast(criticality as varchar), '')
        || '/' || coalesce(cast(priority as varchar), '') as kind,
        coalesce(effective_to, date '9999-12-31') as last_on,
        lag(level_number, 1, 0) over path as level_before,
        lag(threshold_share, 1, 0) over path as threshold_before
    from {{ ref('escalation_path') }}
    window path as (partition by escalation_path_code, effective_from order by level_number)
),

paths as (
    select
        escalation_path_code,
        effective_from,
        min(kind) as kind,
        max(last_on) as last_on,
        min(last_on) as first_last_on,
        count(distinct kind) as kind_count,
        sum(case when threshold_share = 1 then 1 else 0 end) as target_level_count,
        bool_and(level_number = level_before + 1) as is_without_gap,
        bool_and(threshold_share > threshold_before) as is_ascending
    from levels
    group by escalation_path_code, effective_from
)

select
    paths.escalation_path_code,
    paths.effective_from,
    paths.kind,
    others.escalation_path_code as other_path_code
from paths
left join paths as others
    on
        paths.kind = others.kind
        and (paths.escalation_path_code <> others.escalation_path_code or paths.effective_from < others.effective_from)
        and paths.effective_from <= others.last_on
        and paths.last_on >= others.effective_from
where
    others.kind is not null
    or paths.kind_count > 1
    or paths.first_last_on <> paths.last_on
    or paths.target_level_count <> 1
    or not paths.is_without_gap
    or not paths.is_ascending
