"""The gate's checks of objectives on the demonstration company: clean passes, each rule refuses its defect."""

# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

from typing import Any

import pytest

from expectations.suites.marts_slo import checks
from tests.integration.bench import Bench
from tests.integration.test_gates_built import refused

pytestmark = [pytest.mark.slow, pytest.mark.requirement("SVC-4.0")]

D, R, B, N = "slt.dim_slo", "slt.fct_slo_reading", "slt.fct_error_budget", "slt.fct_burn_rate"
ONE = "rowid = (select min(rowid) from {t})"

DEFECTS = [
    ("is_in_effect_or_says_why_not", D, f"update {{t}} set refusal_reason = 'x' where {ONE}"),
    ("never_falls", R, "update {t} set good_count = -1 where rowid = (select max(rowid) from {t})"),
    ("adds_up", B, f"update {{t}} set remaining_count = remaining_count + 1 where {ONE}"),
    ("adds_up", B, f"update {{t}} set budget_count = budget_count + 1, remaining_count = remaining_count + 1 where {ONE}"),
    ("adds_up", B, f"update {{t}} set bad_count = bad_count + 1 where {ONE}"),
    ("verdict_follows_the_counts", B, "update {t} set budget_status = 'within_budget' where budget_status = 'exhausted'"),
    ("verdict_follows_the_counts", B, "update {t} set is_payable = true where budget_status = 'insufficient_data'"),
    ("verdict_follows_the_counts", B, "update {t} set is_payable = true where not is_complete"),
    ("is_the_difference_of_its_readings", B, f"update {{t}} set total_count = total_count + 1 where {ONE}"),
    ("threshold_follows_from_the_budget_share", N, f"update {{t}} set threshold_factor = threshold_factor + 1 where {ONE}"),
    ("alerts_when_both_windows_exceed", N, "update {t} set burn_status = 'alert', is_alerting = true where burn_status = 'ok'"),
    ("alerts_when_both_windows_exceed", N, f"update {{t}} set is_alerting = not is_alerting where {ONE}"),
    ("alerts_when_both_windows_exceed", N, f"update {{t}} set event_count = minimum_event_count - 1, burn_status = 'ok', is_alerting = false where {ONE}"),
]  # fmt: skip


def test_every_rule_has_a_defect() -> None:
    rules = {spec.check_name for spec in checks() if spec.failing_rows}
    assert rules == {f"{table.partition('.')[2]}_{short}" for short, table, _ in DEFECTS}


def test_the_demonstration_company_has_budgets_of_every_status(bench: Bench) -> None:
    statuses = "select string_agg(distinct budget_status, ' ' order by budget_status) from slt.fct_error_budget"
    assert bench.value(statuses) == "exhausted insufficient_data within_budget"
    assert bench.value("select count(*) from slt.dim_slo where not is_effective") >= 1


@pytest.mark.parametrize(("short", "table", "statement"), DEFECTS, ids=[f"{n}-{c[0]}" for n, c in enumerate(DEFECTS)])
def test_each_rule_refuses_its_defect(bench: Any, short: str, table: str, statement: str) -> None:
    with bench.defect(table, statement):
        assert refused(bench, "marts", f"{table.partition('.')[2]}_{short}").is_blocking
