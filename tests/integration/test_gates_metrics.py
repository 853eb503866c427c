"""Gate marts on metrics: the demonstration company passes, and each check refuses its defects."""
# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

import pytest

from expectations.suites.marts_metrics import DEFINITIONS, EVIDENCE, FOR_BI, RESULTS, checks
from tests.integration.bench import Bench
from tests.integration.test_gates_built import GIVEN, UNIQUE, VALUES, mart_check

pytestmark = pytest.mark.slow

SPECS = {spec.check_name: spec for spec in checks()}
ONE = "rowid = (select min(rowid) from {t} where "

# check, table, statement
DEFECTS = [
    ("version_in_force_is_one", RESULTS, f"insert into {{t}} by name select * replace (metric_version + 1 as metric_version, 'x' as metric_result_key) from {{t}} where {ONE} true)"),
    ("numerator_is_within", RESULTS, f"update {{t}} set numerator = denominator + 1 where {ONE} aggregation_kind = 'share')"),
    ("numerator_is_within", RESULTS, f"update {{t}} set numerator = -1 where {ONE} aggregation_kind = 'sum')"),
    ("value_is_the_ratio", RESULTS, f"update {{t}} set raw_value = raw_value - 0.000001 where {ONE} aggregation_kind = 'share' and result_status = 'ok')"),
    ("value_is_the_ratio", RESULTS, f"update {{t}} set raw_value = raw_value - 0.000001 where {ONE} aggregation_kind = 'mean' and result_status = 'ok')"),
    ("value_is_the_ratio", RESULTS, f"update {{t}} set raw_value = null where {ONE} result_status = 'ok')"),
    ("value_is_the_ratio", RESULTS, f"update {{t}} set raw_value = 0 where {ONE} raw_value is null)"),
    ("value_is_the_one_that_counts", RESULTS, f"update {{t}} set metric_value = raw_value where {ONE} value_basis = 'shrunk' and result_status = 'ok')"),
    ("value_is_the_one_that_counts", RESULTS, f"update {{t}} set metric_value = raw_value where {ONE} value_basis = 'standardised' and result_status = 'ok' and raw_value <> standardised_value)"),
    ("status_follows", RESULTS, f"update {{t}} set metric_value = null where {ONE} result_status = 'ok')"),
    ("status_follows", RESULTS, f"update {{t}} set metric_value = 1 where {ONE} result_status = 'insufficient_data')"),
    ("status_follows", RESULTS, f"update {{t}} set result_status = 'insufficient_data' where {ONE} result_status = 'suspended')"),
    ("status_follows", RESULTS, f"update {{t}} set result_status = 'suspended', metric_value = null where {ONE} freeze_status = 'none')"),
    ("has_its_interval", RESULTS, f"update {{t}} set confidence_lower_value = null, confidence_upper_value = null where {ONE} aggregation_kind = 'share' and result_status = 'ok')"),
    ("has_its_interval", RESULTS, f"update {{t}} set confidence_lower_value = raw_value + 0.1 where {ONE} aggregation_kind = 'rate' and raw_value is not null and standardised_value is null)"),
    ("has_its_interval", RESULTS, f"update {{t}} set confidence_upper_value = null where {ONE} aggregation_kind = 'mean' and confidence_upper_value is not null)"),
    ("phase_share_fits_the_phase", RESULTS, f"update {{t}} set phase_share = 0.5 where {ONE} phase = 'live')"),
    ("phase_share_fits_the_phase", RESULTS, f"update {{t}} set phase_share = 1.1 where {ONE} phase = 'phase_in')"),
    ("hides_few_observations", FOR_BI, f"update {{t}} set raw_value = 0.5 where {ONE} is_suppressed)"),
    ("hides_few_observations", FOR_BI, f"update {{t}} set is_suppressed = false where {ONE} is_suppressed)"),
    ("hides_few_persons", FOR_BI, f"update {{t}} set is_suppressed = false, suppression_reason = null where {ONE} suppression_reason = 'few_persons')"),
    ("hides_few_persons", FOR_BI, f"update {{t}} set is_suppressed = true, suppression_reason = 'few_persons' where {ONE} not is_suppressed and entity_type = 'team' and metric_code = 'slt_attainment')"),
    ("is_all_but_persons", FOR_BI, f"delete from {{t}} where {ONE} true)"),
    ("is_all_but_persons", FOR_BI, f"insert into {{t}} by name select *, false as is_suppressed from {RESULTS} where entity_type = 'person' limit 1"),
    ("is_all_but_persons", FOR_BI, f"update {{t}} set metric_value = metric_value + 0.1 where {ONE} metric_value is not null)"),
    ("holds_to_its_lock", DEFINITIONS, f"update {{t}} set definition_hash = 'x' where {ONE} true)"),
    ("holds_to_its_lock", DEFINITIONS, f"delete from {{t}} where {ONE} true)"),
    ("holds_to_its_lock", DEFINITIONS, "insert into {t} by name select * replace ('new' as metric_code) from {t} limit 1"),
    ("result_is_of_its_definition", DEFINITIONS, "update {t} set definition_hash = 'x'"),
    ("freeze_is_one_that_holds", RESULTS, f"update {{t}} set freeze_status = 'none' where {ONE} freeze_status = 'excluded')"),
    ("freeze_is_one_that_holds", RESULTS, f"update {{t}} set freeze_status = 'suspended' where {ONE} metric_code = 'slt_attainment')"),
    ("freeze_is_one_that_holds", "reference.governance_member", "update {t} set recorded_at = timestamp '2026-01-01' where employee_number = 'e1002'"),
    ("freeze_is_one_that_holds", "reference.governance_member", "update {t} set to_on = date '2024-12-31' where employee_number = 'e1002'"),
    ("freeze_is_one_that_holds", "reference.approval_role", "delete from {t} where approval_type = 'metric_freeze'"),
    ("carries_the_last_unfrozen_value", RESULTS, f"update {{t}} set metric_value = coalesce(metric_value, 0) + 0.1 where {ONE} freeze_status = 'carried')"),
    ("carries_the_last_unfrozen_value", RESULTS, f"update {{t}} set carried_from_on = period_start_on where {ONE} freeze_status = 'carried')"),
    ("sums_to_the_result", EVIDENCE, f"delete from {{t}} where {ONE} evidence_weight > 0)"),
    ("sums_to_the_result", EVIDENCE, f"update {{t}} set numerator_weight = numerator_weight + 1 where {ONE} true)"),
    ("sums_to_the_result", EVIDENCE, f"insert into {{t}} by name select * replace ('none' as metric_result_key) from {{t}} where {ONE} true)"),
]  # fmt: skip

# What takes a freeze's effect away, one condition at a time; the seed's own row has none.
FREEZE_FLAWS = {
    "not_approved": "decision = 'rejected'",
    "nobody_signed": "approved_by = null",
    "no_day_of_approval": "approved_on = null",
    "approver_is_requester": "approved_by = requested_by",
    "nobody_asked": "requested_by = null",
    "approved_too_late": "approved_on = frozen_to_on + 1",
    "recorded_too_late": "recorded_at = cast(frozen_to_on + 1 as timestamp)",
    "recorded_after_the_run": "recorded_at = timestamp '2030-01-01', frozen_to_on = date '2030-01-02'",
    "approver_without_the_role": "approved_by = 'e1066'",
    "no_window": "frozen_to_on = frozen_from_on - 1",
}


def test_the_demonstration_company_passes(bench: Bench) -> None:
    bench.assert_passes("marts", SPECS.values())


@pytest.mark.parametrize(("short", "table", "statement"), DEFECTS, ids=[f"{mart_check(c[0], c[1])}-{n}" for n, c in enumerate(DEFECTS)])  # fmt: skip
def test_each_check_refuses_its_defect(bench: Bench, short: str, table: str, statement: str) -> None:
    judged = mart_check(short, RESULTS if table.startswith("reference.") else table)
    bench.assert_refuses(SPECS[judged], table, statement)


@pytest.mark.requirement("OPS-4.3")
@pytest.mark.parametrize("flaw", FREEZE_FLAWS)
def test_a_result_frozen_by_a_request_without_one_condition_is_refused(bench: Bench, flaw: str) -> None:
    """The results stay frozen as they are; the request they rest on loses one condition."""
    spec = SPECS[mart_check("freeze_is_one_that_holds", RESULTS)]
    for freeze_id in ("FRZ-001", "FRZ-002", "FRZ-003"):
        statement = f"update {{t}} set {FREEZE_FLAWS[flaw]} where freeze_id = '{freeze_id}'"
        bench.assert_refuses(spec, "reference.metric_freeze", statement)


def test_every_check_has_a_defect() -> None:
    families = {name for name, spec in SPECS.items() if spec.expectation_type in (*GIVEN, *VALUES, *UNIQUE)}
    assert {
        mart_check(short, table) for short, table, _ in DEFECTS if not table.startswith("reference.")
    } | families == set(SPECS)
