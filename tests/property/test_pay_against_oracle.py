"""Drawn plans, results, conditions, leave and agreements through the real models against the company's own calculation.

The oracle is `ingestion.demo.reference_pay`, which walks people day by day and shares no code with the SQL. Beside it
stand four promises that need no oracle: the order of rows never matters, a higher value never pays less under bands
that ascend, the lines of a person sum to the rounded whole, and who is not eligible is paid 0.00.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from ingestion.demo.reference_eligibility import Problem, Records, Rules
from ingestion.demo.reference_pay import (
    IncentivePlan,
    PayRules,
    PaySegment,
    PlanComponent,
    calculate_person_quarter,
)
from tests.governance import fill
from tests.pay_world import QUARTERS, open_pay

SEED = 20260106
EXAMPLES = 20
PEOPLE = 4
AS_OF = datetime.fromisoformat("2026-01-05")
METRICS = ("m", "n")

Row = dict[str, Any]
World = dict[str, list[Row]]


def share(draw: st.DrawFn, most: int = 10) -> str:
    return str(Decimal(draw(st.integers(0, most))) / 10)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Rows by table; bands ascend with their shares, so that a higher value never earns less."""
    first = draw(st.integers(1, 9))
    weights = {"a": Decimal(first) / 10, "b": 1 - Decimal(first) / 10}
    components, bands = [], []
    for code, metric in zip("ab", METRICS, strict=True):
        method = draw(st.sampled_from(("flat", "interpolated", "stepped")))
        is_accelerated = draw(st.booleans())
        components.append(
            {
                **{"plan_code": "p", "plan_version": 1, "tier": 1, "component_code": code, "metric_code": metric},
                **{"weight": weights[code], "band_method": method, "role": "outcome"},
                "processing_grain": draw(st.sampled_from(("individual", "cumulative")))
                if method == "stepped"
                else "individual",
                "threshold_value": draw(st.sampled_from((None, Decimal("0.3"), Decimal("0.75")))),
                "accelerator_from_value": Decimal("0.9") if is_accelerated else None,
                "accelerator_factor": Decimal("1.25") if is_accelerated else None,
            }
        )
        lower, paid = Decimal(0), Decimal(0)
        for number in range(1, draw(st.integers(1, 4)) + 1):
            bands.append(
                {
                    **{"plan_code": "p", "plan_version": 1, "component_code": code, "band_number": number},
                    **{"lower_bound": lower, "payout_share": paid},
                }
            )
            lower += Decimal(draw(st.integers(1, 500_000))) / 1_000_000
            paid += Decimal(draw(st.integers(0, 6_000))) / 10_000
    results = []
    for metric in METRICS:
        for _, start, *_ in QUARTERS:
            for team in ("t1", "t2"):
                value = draw(st.one_of(st.none(), st.integers(0, 1_000_000)))
                results.append(
                    {
                        "metric_result_key": f"{metric}{team}{start}",
                        **{"metric_code": metric, "metric_version": 1, "entity_type": "team", "entity_code": team},
                        **{"period_grain": "quarter", "period_start_on": start},
                        "metric_value": None if value is None else Decimal(value) / 1_000_000,
                        "result_status": "insufficient_data" if value is None else "ok",
                    }
                )
    assignments, employees, papers, leave, agreements, improvements = [], [], [], [], [], []
    for number in range(1, PEOPLE + 1):
        person, hired = f"e{number}", date(2024, 6, 1) + timedelta(days=draw(st.integers(0, 560)))
        employees.append({"employee_id": str(number), "employee_number": person, "hired_on": hired})
        moved = hired + timedelta(days=draw(st.integers(1, 200)))
        target = Decimal(draw(st.integers(1, 1_000_000))) / 100
        common = {"employee_number": person, "country_code": "IE", "is_in_incentive_plan": True}
        for team, start, end in (("t1", hired, moved), ("t2", moved, None)):
            assignments.append(
                {
                    **common,
                    **{"team_code": team, "quarterly_target_amount": target, "currency_code": "EUR"},
                    **{"assigned_from_on": start, "assigned_to_on": end},
                }
            )
        if draw(st.integers(0, 3)):
            papers.append(
                {
                    **{"plan_acknowledgement_id": person, "employee_id": str(number), "sent_on": hired},
                    **{"plan_code": "p", "plan_version": 1, "communication_code": "plan_document"},
                    "acknowledged_at": draw(
                        st.sampled_from(
                            (None, datetime.fromisoformat("2025-05-01"), AS_OF, AS_OF + timedelta(seconds=1))
                        )
                    ),
                }
            )
        for request in range(draw(st.integers(0, 2))):
            start = date(2024, 12, 20) + timedelta(days=draw(st.integers(0, 120)))
            leave.append(
                {
                    **{"time_off_request_id": f"{person}-{request}", "employee_id": str(number), "first_on": start},
                    "last_on": start + timedelta(days=draw(st.integers(0, 12))),
                    "request_status": draw(st.sampled_from(("approved", "approved", "denied"))),
                    **{"leave_type": draw(st.sampled_from(("Parental", "Vacation"))), "leave_unit": "days"},
                }
            )
        if draw(st.booleans()):
            start = date(2024, 12, 1) + timedelta(days=draw(st.integers(0, 90)))
            agreements.append(
                {
                    **{"agreement_id": person, "employee_number": person, "work_share": Decimal("0.7")},
                    "effective_from": start,
                    "effective_to": draw(st.sampled_from((None, start + timedelta(days=40)))),
                    "signed_on": draw(st.sampled_from((None, start, start + timedelta(days=20)))),
                }
            )
        if draw(st.integers(0, 3)) == 0:
            improvements.append(
                {
                    **{"improvement_plan_code": person, "owner_employee_number": person},
                    **{"opened_on": date(2024, 8, 1), "due_on": date(2024, 12, 31)},
                    "closed_on": draw(st.sampled_from((None, date(2025, 3, 31), date(2025, 4, 1)))),
                }
            )
    problems = []
    for number in range(draw(st.integers(0, 3))):
        opened = datetime.fromisoformat("2024-12-25") + timedelta(hours=draw(st.integers(0, 2400)))
        late = draw(st.sampled_from((None, 0, 1, -1)))
        problems.append(
            {
                **{"number": f"P{number}", "opened_at": opened},
                "confirmed_at": None if late is None else opened + timedelta(days=4, seconds=late),
                "assignment_group_id": draw(st.sampled_from(("g1", "g2"))),
                "related_incident_count": draw(st.integers(1, 3)),
            }
        )
    gate = {
        **{"plan_code": "p", "plan_version": 1, "tier": 1, "component_code": "a", "counter_metric_code": "n"},
        **{"least_value": Decimal("0.4"), "most_value": Decimal("0.9"), "share_kept": Decimal(share(draw, 9))},
    }
    return {
        **{"plan_component": components, "achievement_band": bands, "fct_metric_result": results},
        **{"int_employee_assignment": assignments, "stg_bamboohr__employees": employees},
        **{"stg_bamboohr__plan_acknowledgements": papers, "stg_bamboohr__time_off_requests": leave},
        **{"part_time_agreement": agreements, "improvement_plan": improvements},
        **{"stg_servicenow__problems": problems, "counter_gate": [gate] if draw(st.booleans()) else []},
    }


def text(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Rows as the cells of a CSV."""
    return [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]


def kept_rows(engine: duckdb.DuckDBPyConnection, table: str) -> list[dict[str, str]]:
    found = engine.execute(f"select * from {table}")
    names = [column[0] for column in found.description or []]
    return text([dict(zip(names, row, strict=True)) for row in found.fetchall()])


def expected(engine: duckdb.DuckDBPyConnection, world: World) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """What the company's own calculation pays."""
    bands = {
        code: tuple(
            (Fraction(row["lower_bound"]), Fraction(row["payout_share"]))
            for row in world["achievement_band"]
            if row["component_code"] == code
        )
        for code in "ab"
    }
    components = tuple(
        PlanComponent(
            row["component_code"],
            row["metric_code"],
            Fraction(row["weight"]),
            row["band_method"],
            bands[row["component_code"]],
            row["processing_grain"] == "cumulative",
            None if row["threshold_value"] is None else Fraction(row["threshold_value"]),
            None if row["accelerator_from_value"] is None else Fraction(row["accelerator_from_value"]),
            Fraction(row["accelerator_factor"] or 1),
        )
        for row in world["plan_component"]
    )
    plan = IncentivePlan("p", 1, 1, date(2024, 7, 1), None, {1: components})
    numbers = {row["employee_id"]: row["employee_number"] for row in world["stg_bamboohr__employees"]}
    days: dict[str, dict[date, frozenset[str]]] = {}
    for row in world["stg_bamboohr__time_off_requests"]:
        if (row["request_status"], row["leave_type"]) == ("approved", "Parental"):
            for n in range((row["last_on"] - row["first_on"]).days + 1):
                days.setdefault(numbers[row["employee_id"]], {})[row["first_on"] + timedelta(days=n)] = frozenset("r")
    records = Records(
        signed=frozenset(
            ("p", "1", "plan_document", numbers[row["employee_id"]])
            for row in world["stg_bamboohr__plan_acknowledgements"]
            if row["acknowledged_at"] and row["acknowledged_at"] <= AS_OF
        ),
        leave=days,
        problems=[
            Problem(
                row["number"],
                {"g1": "t1", "g2": "t2"}[row["assignment_group_id"]],
                row["opened_at"],
                row["confirmed_at"],
                row["related_incident_count"],
            )
            for row in world["stg_servicenow__problems"]
        ],
    )
    rules = Rules(
        eligibility=kept_rows(engine, "eligibility_rule"),
        disqualification=kept_rows(engine, "disqualification_rule"),
        gates=kept_rows(engine, "counter_gate"),
        part_time=kept_rows(engine, "part_time_agreement"),
        improvement_plans=kept_rows(engine, "improvement_plan"),
    )
    pay_rules = PayRules(rules, records, (), AS_OF.replace(tzinfo=UTC).date())
    metrics: dict[Any, Any] = {
        (row["metric_code"], row["entity_code"], date.fromisoformat(row["period_start_on"])): SimpleNamespace(
            metric_value=None if row["metric_value"] is None else Fraction(row["metric_value"]), metric_version=1
        )
        for row in world["fct_metric_result"]
    }
    teams: dict[str, Any] = {
        code: SimpleNamespace(team_code=code, tier=1, cost_centre_code="CC") for code in ("t1", "t2")
    }
    found = {}
    for employee in world["stg_bamboohr__employees"]:
        person: Any = SimpleNamespace(**employee, country_code="IE")
        for quarter, start_text, end_text, *_ in QUARTERS:
            start, end = date.fromisoformat(start_text), date.fromisoformat(end_text)
            segments = [
                PaySegment(
                    max(row["assigned_from_on"], start),
                    min(row["assigned_to_on"] or end, end) - timedelta(days=1),
                    row["team_code"],
                    row["quarterly_target_amount"],
                    "EUR",
                )
                for row in world["int_employee_assignment"]
                if row["employee_number"] == employee["employee_number"]
                and row["assigned_from_on"] < end
                and (row["assigned_to_on"] or end) > start
            ]
            for line in calculate_person_quarter(person, segments, plan, (start, end), metrics, teams, None, pay_rules):
                key = (line.employee_number, quarter, line.segment_start_on, line.component_code)
                found[key] = (
                    *(line.paid_days_value, line.running_before_value, line.payout_share, line.gate_share),
                    *(line.eligible_share, line.payout_amount),
                )
    return found


def paid(engine: duckdb.DuckDBPyConnection) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    rows = engine.execute(
        "select employee_number, earned_quarter, segment_start_on, component_code, paid_days_value, "
        "running_before_value, payout_share, gate_share, eligible_share, payout_amount from fct_incentive_payout"
    ).fetchall()
    assert len({row[:4] for row in rows}) == len(rows)
    return {row[:4]: row[4:] for row in rows}


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_pay() as connection:
        yield connection


drawn = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[*HealthCheck],
)


@pytest.mark.requirement("OPS-5.5")
@pytest.mark.requirement("OPS-7.2")
@pytest.mark.requirement("DESK-5.4")
@pytest.mark.requirement("DESK-4.6")
@pytest.mark.requirement("LTI-1.6")
@seed(SEED)
@drawn
@given(world=worlds(), order=st.randoms(use_true_random=False), raised=st.integers(1, 300_000))
def test_every_drawn_company_is_paid_as_the_reference_pays(
    engine: duckdb.DuckDBPyConnection, world: World, order: Any, raised: int
) -> None:
    for table, rows in world.items():
        fill(engine, table, rows)
    found = paid(engine)
    assert found == expected(engine, world)

    # parts sum to the whole: half up to the cent of the exact sum
    totals = engine.execute(
        """
        select sum(payout_amount), sum(
            cast(target_amount * 100 as hugeint) * cast(paid_days_value * 10000 as hugeint)
            * cast(weight * 10000 as hugeint) * cast(payout_share * 10000 as hugeint)
            * cast(gate_share * 10000 as hugeint) * cast(eligible_share * 10000 as hugeint)
        )::varchar || '/' || (max(quarter_days)::hugeint * 100000000000000000000::hugeint)::varchar
        from fct_incentive_payout group by employee_number, earned_quarter
        """
    ).fetchall()
    assert len(totals) == len({key[:2] for key in found})
    for total, exact in totals:
        assert total * 100 == (Fraction(exact) + Fraction(1, 2)).__floor__()

    # nobody ineligible is paid
    assert all(row[-1] == 0 for row in found.values() if row[-2] == 0)

    # the order in which rows arrived never matters
    for table, rows in world.items():
        fill(engine, table, order.sample(rows, len(rows)))
    assert paid(engine) == found

    # a higher value never pays less, where it holds no other component in check and ends no running total early
    engine.execute("delete from counter_gate")
    engine.execute("update plan_component set processing_grain = 'individual'")
    before = engine.execute(
        "select employee_number, earned_quarter, sum(payout_amount) from fct_incentive_payout group by all"
    ).fetchall()
    engine.execute("update fct_metric_result set metric_value = metric_value + ?", [Decimal(raised) / 1_000_000])
    after = {
        (person, quarter): amount
        for person, quarter, amount in engine.execute(
            "select employee_number, earned_quarter, sum(payout_amount) from fct_incentive_payout group by all"
        ).fetchall()
    }
    assert all(after[person, quarter] >= amount for person, quarter, amount in before)
