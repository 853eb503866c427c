-- Everything that can stand as evidence of a control: the gates' checks and the data tests there are, and what came of
-- each when it was last judged.
with gate_checks as (
    select * from {{ source('landing', 'gate_check') }}
),

gate_outcomes as (
    select * from {{ source('landing', 'gate_outcome') }}
),

tests as (
    select * from {{ ref('int_manifest_test') }}
),

test_outcomes as (
    select * from {{ source('landing', 'dbt_test_outcome') }}
),

runs as (
    select * from {{ source('landing', 'run_context') }}
),

-- stamped by the wall clock; a run that takes another instant as now moves all of them by the same stretch
run as (
    select
        {{ whole_second('as_of_at') }} as as_of_at,
        {{ seconds_between('started_at', 'as_of_at') }} as shift_seconds
    from runs
    qualify row_number() over (order by started_at desc nulls last, run_id desc) = 1
),

catalogue as (
    select
        'gate_check' as evidence_kind,
        gate || '.' || check_name as evidence_name,
        table_name as judged_name,
        severity = 'block' as is_blocking
    from gate_checks

    union all

    select
        'dbt_test' as evidence_kind,
        test_name as evidence_name,
        judged_name,
        severity = 'error' as is_blocking
    from tests
),

outcomes as (
    select
        'gate_check' as evidence_kind,
        gate || '.' || check_name as evidence_name,
        judged_at,
        outcome
    from gate_outcomes

    union all

    select
        'dbt_test' as evidence_kind,
        test_name as evidence_name,
        judged_at,
        outcome
    from test_outcomes
),

-- what was skipped judged nothing
judged as (
    select
        outcomes.evidence_kind,
        outcomes.evidence_name,
        outcomes.outcome,
        least(
            {{ whole_second(add_seconds('outcomes.judged_at', 'run.shift_seconds')) }}, run.as_of_at
        ) as judged_at,
        row_number() over (
            partition by outcomes.evidence_kind, outcomes.evidence_name
            order by outcomes.judged_at desc, outcomes.outcome asc
        ) as newest_rank
    from outcomes
    cross join run
    where outcomes.outcome <> 'skipped'
),

passed as (
    select
        evidence_kind,
        evidence_name,
        count(*) as judged_count,
        sum(case when outcome = 'passed' then 1 else 0 end) as passed_count,
        max(case when outcome = 'passed' then judged_at end) as last_passed_at,
        max(judged_at) as last_judged_at,
        max(case when newest_rank = 1 then outcome end) as last_outcome,
        min(case when outcome = 'passed' then newest_rank end) as passed_rank
    from judged
    group by evidence_kind, evidence_name
),

-- the first of the failures that nothing that passed has ended
failing as (
    select
        judged.evidence_kind,
        judged.evidence_name,
        min(judged.judged_at) as failing_since_at
    from judged
    inner join passed
        on judged.evidence_kind = passed.evidence_kind and judged.evidence_name = passed.evidence_name
    where judged.newest_rank < coalesce(passed.passed_rank, judged.newest_rank + 1)
    group by judged.evidence_kind, judged.evidence_name
),

final as (
    select
        catalogue.evidence_kind,
        catalogue.evidence_name,
        catalogue.judged_name,
        catalogue.is_blocking,
        passed.last_outcome,
        passed.last_judged_at,
        passed.last_passed_at,
        failing.failing_since_at,
        coalesce(passed.judged_count, 0) as judged_count,
        coalesce(passed.passed_count, 0) as passed_count
    from catalogue
    left join passed
        on catalogue.evidence_kind = passed.evidence_kind and catalogue.evidence_name = passed.evidence_name
    left join failing
        on catalogue.evidence_kind = failing.evidence_kind and catalogue.evidence_name = failing.evidence_name
)

select * from final
