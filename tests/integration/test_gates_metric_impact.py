"""Gate marts on proposals: the demonstration company passes, and each check refuses its defects."""
# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

import pytest

from expectations.suites.marts_metric_impact import IMPACT, checks
from tests.integration.bench import Bench
from tests.integration.test_gates_built import mart_check

pytestmark = pytest.mark.slow

SPECS = {spec.check_name: spec for spec in checks()}
ONE = "rowid = (select min(rowid) from {t} where "

# check, statement
DEFECTS = [
    ("key_is_unique", "insert into {t} select * from {t} limit 1"),
    ("tells_every_proposal", "delete from {t} where period_start_on = (select max(period_start_on) from {t}) and team_code = 'sre'"),
    ("tells_every_proposal", "delete from {t}"),
    ("compares_what_holds", f"update {{t}} set current_value = current_value + 0.000001, difference_value = difference_value - 0.000001 where {ONE} difference_value is not null)"),
    ("compares_what_holds", f"update {{t}} set proposed_value = null, difference_value = null where {ONE} difference_value is not null)"),
    ("compares_what_holds", f"update {{t}} set current_version = 1 where {ONE} current_version > 1)"),
    ("compares_what_holds", f"update {{t}} set difference_value = -difference_value where {ONE} difference_value <> 0)"),
    ("pays_what_was_paid", f"update {{t}} set paid_amount = paid_amount + 0.01 where {ONE} paid_amount > 0)"),
    ("pays_what_was_paid", f"update {{t}} set measured_payout_amount = measured_payout_amount + 1, proposed_payout_amount = proposed_payout_amount + 1 where {ONE} adjustment_count = 0 and paid_amount > 0)"),
    ("pays_what_was_paid", f"delete from {{t}} where {ONE} paid_amount > 0); insert into {{t}} by name select * replace ('XXX' as currency_code) from {{t}} limit 1"),
    ("difference_is_of_its_amounts", f"update {{t}} set difference_amount = difference_amount + 0.01 where {ONE} true)"),
    ("difference_is_of_its_amounts", f"update {{t}} set proposed_payout_amount = 1, difference_amount = 1 - measured_payout_amount where {ONE} proposed_status = 'insufficient_data')"),
]  # fmt: skip


def test_the_demonstration_company_passes(bench: Bench) -> None:
    bench.assert_passes("marts", SPECS.values())


@pytest.mark.parametrize(("short", "statement"), DEFECTS, ids=[f"{case[0]}-{n}" for n, case in enumerate(DEFECTS)])
def test_each_check_refuses_its_defect(bench: Bench, short: str, statement: str) -> None:
    bench.assert_refuses(SPECS[mart_check(short, IMPACT)], IMPACT, statement)


def test_every_check_has_a_defect() -> None:
    assert {mart_check(short, IMPACT) for short, _ in DEFECTS} == set(SPECS)
