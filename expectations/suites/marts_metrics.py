"""Gate marts, metrics: each result follows from its sums, its definition, its freezes and its evidence, and no
definition has changed under its number. `checks()` is read by `expectations.suites.marts`.

What the models say is judged anew from the seeds and the results as they stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from expectations.checks import CheckSpec, On

RESULTS, EVIDENCE = "metrics.fct_metric_result", "metrics.fct_metric_evidence"
FOR_BI, DEFINITIONS = "metrics.mart_metric_result", "metrics.dim_metric_definition"
LOCK, SEED, FREEZES = "reference.metric_definition_lock", "reference.metric_definition", "reference.metric_freeze"
DEFECT = "a defect of the model: nothing may be published from it; see the keys below"
KEYS = ("metric_result_key", "metric_code", "metric_version", "entity_code", "period_start_on")
MEMBERS, ROLES, RUN = "reference.governance_member", "reference.approval_role", "core.int_run_context"
# From the seeds alone: a freeze holds when somebody other than its requester, in a role that may, approved it, and it
# was recorded, before it ended and by the run's instant.
HELD = f"""
    select request.* from {FREEZES} as request
    inner join {RUN} as run on request.recorded_at <= run.as_of_at and request.approved_on <= run.as_of_at
    where request.decision = 'approved' and request.requested_by is not null
    and request.approved_by <> request.requested_by and request.frozen_from_on <= request.frozen_to_on
    and request.approved_on <= request.frozen_to_on and request.recorded_at::date <= request.frozen_to_on
    and exists (
        select 1 from {MEMBERS} as member
        inner join {ROLES} as role on role.role_code = member.role_code and role.approval_type = 'metric_freeze'
        where member.employee_number = request.approved_by and member.recorded_at <= request.recorded_at
        and request.approved_on between member.from_on and coalesce(member.to_on, date '9999-12-31')
    )
"""
OF_FREEZE = """
    held.metric_code = result.metric_code
    and coalesce(held.entity_type, result.entity_type) = result.entity_type
    and coalesce(held.entity_code, result.entity_code) = result.entity_code
    and held.frozen_from_on < result.period_end_on and held.frozen_to_on >= result.period_start_on
"""


def checks() -> list[CheckSpec]:
    """All checks of metrics."""
    return [*_results(), *_definitions(), *_freezes(), *_evidence()]


def _on(table: str, *keys: str, **more: Any) -> On:
    return On(table, table.partition(".")[2], keys=keys, **more)


def _results() -> Iterator[CheckSpec]:
    on = _on(RESULTS, *KEYS)
    yield on.unique(("metric_result_key",), "A metric has one result per version, entity and period.", DEFECT)
    yield on.unique(
        ("metric_code", "entity_type", "entity_code", "period_grain", "period_start_on"),
        "One version is in force for an entity and period.",
        DEFECT,
        name="version_in_force_is_one",
    )
    yield on.known("definition_hash", "a result must tell by which definition: " + DEFECT)
    yield on.in_set("result_status", ("ok", "insufficient_data", "suspended", "provisional"), DEFECT)
    yield on.no_rows(
        "numerator_is_within",
        """
        select metric_result_key, metric_code, entity_code, period_grain, period_start_on, numerator,
            denominator
        from checked where numerator < 0 or numerator is null or denominator is null or denominator < 0
        or (aggregation_kind in ('share', 'weighted_share', 'time_share') and numerator > denominator)
        """,
        "Nothing is negative, and the part of a share is no larger than the whole.",
        DEFECT,
    )
    yield on.no_rows(
        "value_is_the_ratio",
        f"""
        select checked.metric_result_key, checked.metric_code, checked.entity_code, checked.period_start_on,
            checked.numerator, checked.denominator, checked.raw_value, checked.result_status
        from checked
        inner join {SEED} as definition
            on definition.metric_code = checked.metric_code and definition.metric_version = checked.metric_version
        where (checked.raw_value is null) <> (
            checked.sample_count < definition.min_sample_count or checked.denominator = 0
        )
        or (checked.raw_value is not null and (
            2 * abs(
                cast(checked.raw_value * 1000000 as hugeint) * definition.value_divisor
                    * case checked.aggregation_kind when 'sum' then 1 else checked.denominator end
                - checked.numerator::hugeint * 1000000 * definition.value_multiplier
            ) > 1.0001 * definition.value_divisor::hugeint
                * case checked.aggregation_kind when 'sum' then 1 else checked.denominator end
        ))
        """,
        "A raw value is its numerator over its denominator, scaled and rounded at the sixth place; on too few "
        "observations there is none.",
        DEFECT,
        reads=(SEED,),
    )
    yield on.no_rows(
        "value_is_the_one_that_counts",
        """
        select metric_result_key, metric_code, entity_code, period_start_on, value_basis, freeze_status, metric_value
        from checked
        where freeze_status in ('none', 'excluded') and metric_value is distinct from case value_basis
            when 'raw' then raw_value when 'standardised' then standardised_value
            when 'seasonally_adjusted' then seasonally_adjusted_value when 'shrunk' then shrunk_value
        end
        """,
        "What counts is the value the definition names, where no freeze sets it.",
        DEFECT,
    )
    yield on.no_rows(
        "status_follows",
        """
        select metric_result_key, metric_code, entity_code, period_start_on, result_status, metric_value, freeze_status
        from checked
        where (result_status = 'ok' and metric_value is null)
        or (result_status in ('insufficient_data', 'suspended') and metric_value is not null)
        or (freeze_status = 'suspended' and result_status not in ('suspended', 'provisional'))
        or (result_status = 'suspended' and freeze_status <> 'suspended')
        """,
        "A result is ok with a value and with none insufficient_data or suspended.",
        DEFECT,
    )
    yield on.no_rows(
        "has_its_interval",
        """
        select metric_result_key, metric_code, entity_code, period_start_on, raw_value, standardised_value,
            confidence_lower_value, confidence_upper_value
        from checked
        where confidence_lower_value > coalesce(standardised_value, raw_value)
        or confidence_upper_value < coalesce(standardised_value, raw_value)
        or (confidence_lower_value is null) <> (confidence_upper_value is null)
        or (
            aggregation_kind in ('share', 'weighted_share', 'rate', 'sum') and raw_value is not null
            and (standardised_value is not null or value_basis <> 'standardised') and confidence_lower_value is null
        )
        """,
        "Every rate has its confidence interval and lies in it.",
        DEFECT,
    )
    yield on.no_rows(
        "phase_share_fits_the_phase",
        """
        select metric_result_key, metric_code, entity_code, period_start_on, phase, phase_share from checked
        where phase_share is null or phase_share < 0 or phase_share > 1
        or (phase = 'live' and phase_share <> 1)
        """,
        "The share of the phase-in reached lies between 0 and 1, and is 1 once live.",
        DEFECT,
        requirements=("DESK-6.4",),
    )
    bi = _on(FOR_BI, "metric_result_key")
    yield bi.no_rows(
        "is_all_but_persons",
        f"""
        select coalesce(result.metric_result_key, checked.metric_result_key) as metric_result_key, checked.entity_type
        from (select * from {RESULTS} where entity_type <> 'person') as result
        full join checked on checked.metric_result_key = result.metric_result_key
        where result.metric_result_key is null or checked.metric_result_key is null
        or checked.entity_type is distinct from result.entity_type
        or (checked.metric_value is distinct from result.metric_value and not checked.is_suppressed)
        """,
        "BI has every result but those of persons, as they stand.",
        DEFECT,
        reads=(RESULTS,),
    )
    yield bi.no_rows(
        "hides_few_observations",
        f"""
        select checked.metric_result_key, checked.entity_code from checked
        inner join {RESULTS} as result on checked.metric_result_key = result.metric_result_key
        where (coalesce(checked.suppression_reason, '') <> 'few_persons' and checked.is_suppressed is distinct from (
            coalesce(result.sample_count, 0) < 5 and result.aggregation_kind not in ('time_share', 'rate')
        ))
        or checked.is_suppressed is distinct from (checked.suppression_reason is not null)
        or (checked.is_suppressed and coalesce(
            checked.numerator, checked.denominator, checked.sample_count, checked.metric_value, checked.raw_value,
            checked.standardised_value, checked.expected_value, checked.seasonally_adjusted_value,
            checked.shrunk_value, checked.confidence_lower_value, checked.confidence_upper_value
        ) is not null)
        """,
        "A result on fewer than five tickets, changes or answers shows no figure, and one withheld none at all.",
        DEFECT,
        reads=(RESULTS,),
    )
    yield bi.no_rows(
        "hides_few_persons",
        """
        with grouped as (
            select checked.*, coalesce(service.owner_team_code, checked.entity_code) as team_code
            from checked
            left join reference.service as service
                on checked.entity_type = 'service' and service.service_code = checked.entity_code
            where checked.entity_type in ('team', 'service')
        ),
        monthly as (
            select metric_result_key, team_code,
                unnest(generate_series(period_start_on, period_end_on - 1, interval 1 month)) as month_on
            from grouped
        ),
        counted as (
            select monthly.metric_result_key, monthly.month_on, count(distinct person.employee_number) as person_count
            from monthly
            cross join core.int_run_context as run
            left join core.int_employee_assignment as person on person.team_code = monthly.team_code
                and person.assigned_from_on < monthly.month_on + interval 1 month
                and coalesce(person.assigned_to_on, date '9999-12-31') > monthly.month_on
            where monthly.month_on <= run.as_of_at
            group by monthly.metric_result_key, monthly.month_on
        )
        select grouped.metric_result_key, grouped.entity_code, grouped.period_start_on,
            min(counted.person_count) as people
        from grouped
        inner join reference.metric_definition as definition
            on definition.metric_code = grouped.metric_code and definition.metric_version = grouped.metric_version
        left join counted on counted.metric_result_key = grouped.metric_result_key
        where definition.observation_kind not in ('availability', 'page_view', 'service_month')
        group by grouped.metric_result_key, grouped.entity_code, grouped.period_start_on, grouped.suppression_reason
        having (coalesce(min(counted.person_count), 0) < 5)
            is distinct from (coalesce(grouped.suppression_reason, '') = 'few_persons')
        """,
        "What is attributed to a team of fewer than five people, in any month of the period, shows no figure, and for "
        "that reason no other is withheld.",
        DEFECT,
        reads=(
            "reference.service",
            "reference.metric_definition",
            "core.int_employee_assignment",
            "core.int_run_context",
        ),
        requirements=("DESK-1.6",),
    )


def _definitions() -> Iterator[CheckSpec]:
    on = _on(DEFINITIONS, "metric_code", "metric_version", requirements=("OPS-4.6",))
    yield on.no_rows(
        "holds_to_its_lock",
        f"""
        select coalesce(checked.metric_code, locked.metric_code) as metric_code,
            coalesce(checked.metric_version, locked.metric_version) as metric_version,
            locked.definition_hash as locked_hash, checked.definition_hash as computed_hash
        from {LOCK} as locked
        full join checked
            on checked.metric_code = locked.metric_code and checked.metric_version = locked.metric_version
        where locked.definition_hash is distinct from checked.definition_hash
        """,
        "No definition has changed under its version number, and none is gone.",
        "put the seeds or macros/metrics back as they were, or give the change a new version number and lock it with "
        "python -m dagster_project.lib.metric_lock --write",
        reads=(LOCK,),
    )
    yield on.no_rows(
        "result_is_of_its_definition",
        f"""
        select result.metric_result_key, result.metric_code, result.metric_version, result.definition_hash
        from {RESULTS} as result
        left join checked
            on checked.metric_code = result.metric_code and checked.metric_version = result.metric_version
            and checked.definition_hash = result.definition_hash
        where checked.metric_code is null
        """,
        "Each result carries the hash of the definition it says it is of.",
        DEFECT,
        reads=(RESULTS,),
    )


def _freezes() -> Iterator[CheckSpec]:
    on = _on(RESULTS, *KEYS, requirements=("OPS-4.3",))
    yield on.no_rows(
        "freeze_is_one_that_holds",
        f"""
        with held as ({HELD})
        select result.metric_result_key, result.metric_code, result.entity_code, result.period_start_on,
            result.freeze_status, string_agg(distinct held.freeze_policy, ', ') as held_policies
        from checked as result
        left join held on {OF_FREEZE}
        group by result.metric_result_key, result.metric_code, result.entity_code, result.period_start_on,
            result.freeze_status
        having result.freeze_status <> case
            when bool_or(held.freeze_policy = 'suspend') then 'suspended'
            when bool_or(held.freeze_policy = 'carry') then 'carried'
            when bool_or(held.freeze_policy = 'exclude') then 'excluded'
            else 'none'
        end
        """,
        "A result is frozen where a request somebody else approved in time covers it, and nowhere else.",
        DEFECT,
        reads=(FREEZES, MEMBERS, ROLES, RUN),
    )
    yield on.no_rows(
        "carries_the_last_unfrozen_value",
        """
        with carriable as (
            select * from checked where freeze_status in ('none', 'excluded') and result_status = 'ok'
        ),
        latest as (
            select frozen.metric_result_key, max(carriable.period_start_on) as period_start_on,
                max_by(carriable.metric_value, carriable.period_start_on) as metric_value
            from checked as frozen
            inner join carriable
                on carriable.metric_code = frozen.metric_code and carriable.entity_type = frozen.entity_type
                and carriable.entity_code = frozen.entity_code and carriable.period_grain = frozen.period_grain
                and carriable.period_start_on < frozen.period_start_on
            where frozen.freeze_status = 'carried'
            group by frozen.metric_result_key
        )
        select frozen.metric_result_key, frozen.metric_code, frozen.entity_code, frozen.period_start_on,
            frozen.metric_value, latest.metric_value as last_value
        from checked as frozen
        left join latest on latest.metric_result_key = frozen.metric_result_key
        where frozen.freeze_status = 'carried' and (
            frozen.metric_value is distinct from latest.metric_value
            or frozen.carried_from_on is distinct from latest.period_start_on
        )
        """,
        "A carried value is that of the last period without a freeze, or none.",
        DEFECT,
    )


def _evidence() -> Iterator[CheckSpec]:
    evidence = _on(EVIDENCE, "metric_result_key", "evidence_key")
    yield evidence.no_rows(
        "sums_to_the_result",
        f"""
        with summed as (
            select metric_result_key, sum(numerator_weight) as numerator, sum(evidence_weight) as denominator
            from checked group by metric_result_key
        ),
        paid as (
            select * from {RESULTS}
            where entity_type = 'team' and metric_code in (select metric_code from reference.plan_component)
        )
        select coalesce(result.metric_result_key, summed.metric_result_key) as metric_result_key,
            result.metric_code, result.entity_code, result.period_start_on, result.numerator,
                result.denominator,
            summed.numerator as evidence_numerator, summed.denominator as evidence_denominator
        from paid as result
        full join summed on summed.metric_result_key = result.metric_result_key
        where coalesce(result.numerator, 0) <> coalesce(summed.numerator, 0)
        or coalesce(result.denominator, 0) <> coalesce(summed.denominator, 0)
        or result.metric_result_key is null
        """,
        "The evidence of every result a plan pays on sums to its numerator and denominator, and there is no other.",
        DEFECT,
        reads=(RESULTS, "reference.plan_component"),
    )
