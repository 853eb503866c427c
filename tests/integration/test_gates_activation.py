"""Gate marts on what governance lets through: the demonstration company passes, and each check refuses its defects."""
# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

import pytest

from expectations.suites.marts_activation import METRICS, PAYOUTS, PLANS, RELAXATIONS, REVIEWS, WEIGHTS, checks
from tests.integration.bench import Bench
from tests.integration.test_gates_built import mart_check

pytestmark = pytest.mark.slow

SPECS = {spec.check_name: spec for spec in checks()}
ONE = "rowid = (select min(rowid) from {t} where "

# check, table, statement
DEFECTS = [
    ("key_is_unique", METRICS, "insert into {t} select * from {t} limit 1"),
    ("meets_every_condition", METRICS, f"update {{t}} set legal_status = 'missing' where {ONE} is_activated)"),
    ("meets_every_condition", METRICS, f"update {{t}} set quorum_status = 'missing' where {ONE} is_activated)"),
    ("says_why_not", METRICS, f"update {{t}} set refusal_reasons = null where {ONE} not is_activated)"),
    ("says_why_not", METRICS, f"update {{t}} set is_activated = true where {ONE} not is_activated)"),
    ("waits_for_its_day", METRICS, f"update {{t}} set notice_ends_on = effective_from + 1 where {ONE} is_activated)"),
    ("waits_for_its_day", METRICS, f"update {{t}} set effective_from = effective_from + 3 where {ONE} is_activated)"),
    ("quorum_is_of_members", METRICS, f"update {{t}} set is_activated = true where {ONE} refusal_reasons like '%quorum_not_reached%')"),
    ("is_of_its_kind", METRICS, f"update {{t}} set change_kind = 'threshold' where {ONE} is_activated and change_kind = 'formula')"),
    ("is_of_its_kind", METRICS, f"update {{t}} set change_kind = 'new' where {ONE} is_activated and change_kind = 'formula')"),
    ("is_of_its_kind", METRICS, f"update {{t}} set change_kind = 'categorisation' where {ONE} is_activated and change_kind = 'new')"),
    ("admits_to_what_is_paid", METRICS, f"update {{t}} set is_kpi_affected = false where {ONE} is_activated and metric_code = 'slt_attainment' and metric_version = 2)"),
    ("ends_by_a_request", METRICS, f"update {{t}} set effective_to = date '2026-12-31' where {ONE} is_activated and effective_to is null and change_kind <> 'retirement')"),
    ("ends_by_a_request", METRICS, f"update {{t}} set effective_to = effective_to - 1 where {ONE} is_activated and effective_to is not null)"),
    ("holds_each_day_once", METRICS, f"update {{t}} set effective_to = null where {ONE} is_activated and effective_to is not null)"),
    ("key_is_unique", PLANS, "insert into {t} select * from {t} limit 1"),
    ("has_every_signature", PLANS, f"update {{t}} set is_activated = true where {ONE} subject_type = 'plan_version' and not is_activated)"),
    ("says_why_not", PLANS, f"update {{t}} set refusal_reasons = null where {ONE} not is_activated)"),
    ("overdue_is_called_so", REVIEWS, f"update {{t}} set review_status = 'in_order', overdue_days = 0 where {ONE} review_status = 'overdue')"),
    ("precedes_pay", REVIEWS, f"update {{t}} set first_reviewed_on = null where {ONE} is_activated)"),
    ("key_is_unique", RELAXATIONS, "insert into {t} select * from {t} limit 1"),
    ("has_effect_only_when_in_order", RELAXATIONS, f"update {{t}} set relieved_count = 1 where {ONE} not is_effective)"),
    ("has_effect_only_when_in_order", RELAXATIONS, f"update {{t}} set relieved_count = missed_count + 1 where {ONE} is_effective)"),
    ("is_tied_to_a_supplier", RELAXATIONS, f"update {{t}} set exclusion_id = 'EXR-0001' where {ONE} is_effective)"),
    ("is_tied_to_a_supplier", RELAXATIONS, f"update {{t}} set justification = '' where {ONE} is_effective)"),
    ("key_is_unique", WEIGHTS, "insert into {t} select * from {t} limit 1"),
    ("leaves_a_sum_of_one", WEIGHTS, f"update {{t}} set effective_weight = effective_weight + 0.0001 where {ONE} is_effective)"),
    ("has_effect_only_when_in_order", WEIGHTS, f"update {{t}} set effective_weight = requested_weight where {ONE} not is_effective and requested_weight <> plan_weight)"),
    ("has_effect_only_when_in_order", WEIGHTS, f"update {{t}} set approved_at = approval_due_on + interval 2 day where {ONE} is_effective)"),
    ("is_of_a_signed_plan", PAYOUTS, f"update {{t}} set country_code = 'DE' where {ONE} true)"),
    ("is_of_a_signed_plan", PAYOUTS, f"update {{t}} set period_start_on = date '2024-04-01' where {ONE} true)"),
    ("rests_on_activated_metrics", PAYOUTS, f"update {{t}} set period_start_on = date '2024-04-01' where {ONE} metric_result_key is not null)"),
    ("has_effect_only_when_in_order", WEIGHTS, f"update {{t}} set weighs_from_on = weighs_from_on - interval 3 month where {ONE} is_effective)"),
    ("has_effect_only_when_in_order", WEIGHTS, f"update {{t}} set weighs_from_on = starts_on where {ONE} not is_effective)"),
    ("is_weighed_as_in_force", PAYOUTS, f"update {{t}} set weight = weight + 0.0001 where {ONE} true)"),
]  # fmt: skip


def test_the_demonstration_company_passes(bench: Bench) -> None:
    bench.assert_passes("marts", SPECS.values())


@pytest.mark.parametrize(("short", "table", "statement"), DEFECTS, ids=[f"{mart_check(c[0], c[1])}-{n}" for n, c in enumerate(DEFECTS)])  # fmt: skip
def test_each_check_refuses_its_defect(bench: Bench, short: str, table: str, statement: str) -> None:
    bench.assert_refuses(SPECS[mart_check(short, table)], table, statement)


def test_every_check_has_a_defect() -> None:
    assert {mart_check(short, table) for short, table, _ in DEFECTS} == set(SPECS)
