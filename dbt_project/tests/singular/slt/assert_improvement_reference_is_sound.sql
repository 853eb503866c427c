-- Factor weights that do not sum to one, a level of priority or criticality without a weight, two attainment targets
-- for one scope on one day, a trend window without earlier months, a plan that was closed before it was opened or
-- whose state and closing day contradict each other: rankings and triggers would rest on them.
{{ config(meta={'dagster': {'ref': {'name': 'attainment_target'}}}) }}
with weights as (
    select * from {{ ref('improvement_weight') }}
),

targets as (
    select
        *,
        slt_code || '/' || scope_type || '/' || coalesce(scope_code, '') as kind,
        coalesce(effective_to, date '9999-12-31') as last_on
    from {{ ref('attainment_target') }}
),

faults as (
    select 'factor weights do not sum to 1' as fault
    from weights
    having sum(case when weight_kind = 'factor' then weight else 0 end) <> 1
    union all
    select 'a priority or criticality has no weight, or a factor is unknown' as fault
    from weights
    having
        sum(case when weight_kind = 'priority' and weight_code in ('1', '2', '3', '4', '5') then 1 else 0 end) <> 5
        or sum(case
            when weight_kind = 'criticality' and weight_code in ('1', '2', '3', '4', 'none') then 1 else 0
        end) <> 5
        or sum(case
            when weight_kind = 'factor' and weight_code in ('frequency', 'duration', 'impact') then 1 else 0
        end) <> 3
    union all
    select 'two attainment targets on one day: ' || targets.kind as fault
    from targets
    inner join targets as others
        on
            targets.kind = others.kind
            and targets.effective_from < others.effective_from
            and targets.last_on >= others.effective_from
    union all
    select 'trend window without earlier months: ' || phase as fault
    from {{ ref('trend_policy') }}
    where recent_month_count < 1 or recent_month_count >= trend_month_count or minimum_month_count > trend_month_count
    union all
    select 'plan contradicts itself: ' || improvement_plan_code as fault
    from {{ ref('improvement_plan') }}
    where
        closed_on < opened_on
        or due_on < opened_on
        or (plan_state = 'open') <> (closed_on is null)
)

select * from faults
