"""The hand-worked cases of gates, conditions, days, bands and phases, by the SQL that dbt runs."""

# ruff: noqa: E501 (a statement a line)

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pytest

from tests.golden import pay_cases
from tests.golden.pay_rule_cases import RULE_CASES, STEPPED_CUMULATIVE, STEPPED_WORLD, RuleCase
from tests.pay_world import QUARTERS, open_pay


@pytest.fixture(scope="module")
def world() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_pay() as connection:
        yield connection


@pytest.fixture
def engine(world: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """The world in order; what a test changes is undone after it."""
    world.execute("begin")
    yield world
    world.execute("rollback")


def paid(engine: duckdb.DuckDBPyConnection, quarter: str = "2025-Q1") -> dict[str, Decimal]:
    """Amount by component."""
    return dict(
        engine.execute(
            "select component_code, payout_amount from fct_incentive_payout where earned_quarter = ?", [quarter]
        ).fetchall()
    )


@pytest.mark.requirement("OPS-5.5")
@pytest.mark.requirement("SLT-4.5")
@pytest.mark.requirement("LTI-1.3")
@pytest.mark.requirement("LTI-1.6")
@pytest.mark.requirement("DESK-4.6")
@pytest.mark.requirement("DESK-5.4")
@pytest.mark.requirement("OPS-7.2")
@pytest.mark.parametrize("case", RULE_CASES, ids=lambda case: case.name)
def test_pay_follows_the_rule_to_the_cent(engine: duckdb.DuckDBPyConnection, case: RuleCase) -> None:
    for change in case.changes:
        engine.execute(change)
    assert paid(engine) == dict(zip("ab", map(Decimal, case.amounts), strict=True)), case.working


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in RULE_CASES}) == len(RULE_CASES) >= 25


def step(engine: duckdb.DuckDBPyConnection, grain: str) -> list[Decimal]:
    for change in STEPPED_WORLD:
        engine.execute(change)
    engine.execute("update plan_component set processing_grain = ?", [grain])
    for number, (lower, rate) in enumerate(pay_cases.STEPPED_TIERS, start=1):
        engine.execute("insert into achievement_band values ('p', 1, 'a', ?, ?, ?)", [number, lower, rate])
    for (_, start, *_), amount in zip(QUARTERS, pay_cases.STEPPED_AMOUNTS, strict=True):
        engine.execute(
            "insert into fct_metric_result values (?, 'm', 1, 'team', 't1', 'quarter', ?, ?, 'ok')",
            [f"k{start}", start, amount],
        )
    return [
        row[0]
        for row in engine.execute("select payout_amount from fct_incentive_payout order by period_start_on").fetchall()
    ]


@pytest.mark.requirement("OPS-7.2")
def test_stepped_from_zero_each_quarter_pays_164(engine: duckdb.DuckDBPyConnection) -> None:
    found = step(engine, "individual")
    assert found == list(pay_cases.STEPPED_ONE_BY_ONE)
    assert sum(found) == 164


@pytest.mark.requirement("OPS-7.2")
def test_stepped_along_the_running_total_pays_285(engine: duckdb.DuckDBPyConnection) -> None:
    found = step(engine, "cumulative")
    assert found == [Decimal(amount) for amount in STEPPED_CUMULATIVE]
    assert sum(found) == pay_cases.STEPPED_RUNNING_TOTAL == 285


@pytest.mark.requirement("OPS-7.2")
def test_a_quarter_below_the_threshold_pays_nothing_and_adds_nothing(engine: duckdb.DuckDBPyConnection) -> None:
    """Threshold 250: the first 200 is lost; the rest climbs from 0: 300 at 1%; 700 at 1% and 800 at 2% ..."""
    step(engine, "cumulative")
    engine.execute("update plan_component set threshold_value = 250")
    found = dict(engine.execute("select period_start_on::varchar, payout_amount from fct_incentive_payout").fetchall())
    # 300 -> 3; 300..1,800: 7 + 16 = 23; 1,800..3,000 at 2% = 24; 3,000..5,000 at 3% = 60; 5,000..9,500: 90 + 75 = 165
    assert [found[start] for _, start, *_ in QUARTERS] == [0, 3, 23, 24, 60, 165]


def test_draws_are_owed_until_they_are_set_off(engine: duckdb.DuckDBPyConnection) -> None:
    """Minimum 1,000: earnings 500, 700, 400 of a target of 1,000 leave 500, 800 and 1,400 owed."""
    for change in STEPPED_WORLD:
        engine.execute(change)
    engine.execute("update plan_component set band_method = 'flat'")
    engine.execute("update int_employee_assignment set quarterly_target_amount = 1000")
    engine.execute("insert into plan_draw values ('p', 1, 'EUR', 1, 1000, '2025-01-01', '2025-09-30', '')")
    for number, (start, earned) in enumerate(
        zip(("2025-01-01", "2025-04-01", "2025-07-01"), pay_cases.DRAW_EARNINGS, strict=True), start=1
    ):
        engine.execute(
            "insert into achievement_band values ('p', 1, 'a', ?, ?, ?)", [number, number / 10, Decimal(earned) / 1000]
        )
        engine.execute(
            "insert into fct_metric_result values (?, 'm', 1, 'team', 't1', 'quarter', ?, ?, 'ok')",
            [start, start, number / 10],
        )
    found = engine.execute(
        "select payout_amount, earned_amount, balance_amount from fct_draw order by period_start_on"
    ).fetchall()
    assert found[:3] == [(500, 500, 500), (700, 300, 800), (400, 600, 1400)]
    assert [row[2] for row in found[:3]] == list(pay_cases.DRAW_BALANCES)
    assert found[3:] == [(0, 0, 1400)], "the rule has ended; what was advanced is still owed"


# --- each condition removed in turn ---

REMOVED = [
    ("acknowledged", "update stg_bamboohr__plan_acknowledgements set acknowledged_at = null", "acknowledgement_not_signed"),
    ("acknowledged", "delete from stg_bamboohr__plan_acknowledgements", "acknowledgement_not_sent"),
    ("tenure", "update stg_bamboohr__employees set hired_on = date '2025-03-20'", "tenure_too_short"),
    ("cohort", "update eligibility_rule set latest_hired_on = date '2019-12-31' where rule_code = 'cohort'", "hired_after_the_cohort"),
    ("rca", "update stg_servicenow__problems set confirmed_at = null; update eligibility_rule set share_kept = 0 where rule_code = 'rca'", "root_cause_late_or_missing"),
    ("missed", "update fct_metric_result set metric_value = 0.45 where metric_code = 'm'", "repeated_non_compliance"),
    ("overdue", "insert into improvement_plan (improvement_plan_code, owner_employee_number, opened_on, due_on) values ('I', 'e1', '2024-08-01', '2024-12-31'); update disqualification_rule set share_kept = 0 where rule_code = 'overdue'", "repeated_non_compliance"),
]  # fmt: skip


@pytest.mark.requirement("DESK-5.4")
@pytest.mark.requirement("DESK-4.6")
@pytest.mark.requirement("LTI-1.6")
@pytest.mark.parametrize(("rule", "change", "reason"), REMOVED, ids=[f"{r[0]}-{n}" for n, r in enumerate(REMOVED)])
def test_each_condition_removed_takes_the_pay_away(
    engine: duckdb.DuckDBPyConnection, rule: str, change: str, reason: str
) -> None:
    query = (
        "select rule_code, is_met, reason, eligible_share from fct_eligibility "
        "where earned_quarter = '2025-Q1' and not is_met"
    )
    assert engine.execute(query).fetchall() == []
    assert sum(paid(engine).values()) == 1000
    engine.execute(change)
    assert engine.execute(query).fetchall() == [(rule, False, reason, 0)]
    assert paid(engine) == {"a": 0, "b": 0}
    told = engine.execute(
        "select distinct ineligible_reasons from fct_incentive_payout where earned_quarter = '2025-Q1'"
    ).fetchall()
    assert told == [(reason,)]
