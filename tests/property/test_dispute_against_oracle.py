"""Drawn disputes through the real models against the company's own judge in plain Python.

The judge counts working days one after the other; the SQL looks them up by number. Steps are drawn around the terms,
so that a day more or less decides whether a dispute goes on and who has the last word.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from benchmarks.model_sql import model_sql
from ingestion.demo.reference_adjustments import Registers, at, upheld_disputes

SEED = 20251206
COLUMNS: dict[str, str] = {
    "dispute": (
        "dispute_id varchar, dispute_type varchar, metric_code varchar, entity_type varchar, entity_code varchar, "
        "period_grain varchar, period_start_on date, subject_reference varchar, claim varchar, opened_by varchar, "
        "opened_at timestamp, recorded_at timestamp, adjustment_id varchar"
    ),
    "dispute_rule": (
        "dispute_type varchar, level_number integer, instance_code varchar, acknowledgement_days integer, "
        "turnaround_days integer, escalation_days integer, publication_days integer, contest_window_days integer, "
        "calendar_code varchar, effective_from date, effective_to date"
    ),
    "dispute_step": (
        "dispute_id varchar, level_number integer, step_type varchar, actor varchar, step_at timestamp, "
        "recorded_at timestamp, outcome varchar, note varchar"
    ),
    "governance_member": (
        "employee_number varchar, body_code varchar, member_function varchar, role_code varchar, from_on date, "
        "to_on date, recorded_at timestamp"
    ),
    "calendar": "calendar_code varchar, calendar_name varchar, time_zone varchar",
    "calendar_segment": (
        "calendar_code varchar, iso_weekday integer, opens_at_local varchar, closes_at_local varchar, "
        "effective_from date, effective_to date"
    ),
    "calendar_holiday": "calendar_code varchar, holiday_on date, holiday_name varchar",
    "int_run_context": "as_of_at timestamp",
}
MODELS = ("int_business_day", "int_dispute_level", "int_dispute")

CALENDARS = [{"calendar_code": "c", "calendar_name": "c", "time_zone": "Europe/Dublin"}]
SEGMENTS = [
    {
        "calendar_code": "c",
        "iso_weekday": str(weekday),
        "opens_at_local": opens,
        "closes_at_local": closes,
        "effective_from": "2020-01-01",
        "effective_to": "",
    }
    for weekday in range(1, 6)
    for opens, closes in (("09:00", "12:00"), ("13:00", "17:00"))
]
HOLIDAYS = [{"calendar_code": "c", "holiday_on": day, "holiday_name": "h"} for day in ("2025-04-18", "2025-04-21")]
MEMBERS = [
    {
        "employee_number": who,
        "body_code": body,
        "member_function": "operations",
        "role_code": role,
        "from_on": "2024-01-01",
        "to_on": last,
        "recorded_at": entered,
    }
    for who, body, role, last, entered in (
        ("judge", "other", "judge_role", "", "2023-12-15T09:00:00"),
        ("deputy", "other", "judge_role", "2025-04-15", "2025-04-09T00:00:00"),
        ("member", "board", "", "", "2023-12-15T09:00:00"),
        ("chair", "committee", "", "", "2023-12-15T09:00:00"),
    )
]


def rules(turnaround: int, escalation: int) -> list[dict[str, str]]:
    return [
        {
            "dispute_type": kind,
            "level_number": str(level),
            "instance_code": instance,
            "acknowledgement_days": "1",
            "turnaround_days": str(turnaround),
            "escalation_days": str(escalation),
            "publication_days": "5",
            "contest_window_days": "10",
            "calendar_code": "c",
            "effective_from": "2024-01-01",
            "effective_to": "",
        }
        for kind, levels in (
            ("score", ("judge_role", "board", "committee")),
            ("shared_outcome", ("judge_role", "board")),
        )
        for level, instance in enumerate(levels, start=1)
    ]


def fill(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, str]]) -> None:
    connection.execute(f"delete from {table}")
    names = [column.split()[0] for column in COLUMNS[table].split(", ")]
    if rows:
        connection.executemany(
            f"insert into {table} values ({', '.join('?' for _ in names)})",
            [tuple(row[name] or None for name in names) for row in rows],
        )


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for table, columns in COLUMNS.items():
            connection.execute(f"create table {table} ({columns})")
        fill(connection, "calendar", CALENDARS)
        fill(connection, "calendar_segment", SEGMENTS)
        fill(connection, "calendar_holiday", HOLIDAYS)
        fill(connection, "governance_member", MEMBERS)
        for model in MODELS:
            connection.execute(f"create view {model} as {model_sql(model)}")
        yield connection


def drawn(rng: random.Random) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    disputes, steps = [], []
    for number in range(8):
        opened_at = datetime.fromisoformat("2025-04-04T00:00:00") + timedelta(hours=rng.randrange(0, 13 * 24))
        dispute_id = f"d{number}"
        disputes.append(
            {
                "dispute_id": dispute_id,
                "dispute_type": rng.choice(("score", "shared_outcome")),
                "metric_code": "m",
                "entity_type": "team",
                "entity_code": "t",
                "period_grain": "quarter",
                "period_start_on": "2025-01-01",
                "subject_reference": "s",
                "claim": "c",
                "opened_by": rng.choice(("e1", "e1", "e1", "judge")),
                "opened_at": opened_at.isoformat(),
                "recorded_at": (opened_at + timedelta(hours=rng.choice((0, 0, 5)))).isoformat(),
                "adjustment_id": "",
            }
        )
        moment, level = opened_at, 1
        for _ in range(rng.randrange(0, 10)):
            moment += timedelta(hours=rng.randrange(1, 3 * 24))
            kind = rng.choice(("decided", "decided", "escalated", "escalated", "acknowledged", "withdrawn"))
            entitled = {1: rng.choice(("judge", "deputy")), 2: "member", 3: "chair"}[level]
            if kind == "withdrawn":
                entitled = disputes[-1]["opened_by"]
            steps.append(
                {
                    "dispute_id": dispute_id,
                    "level_number": str(level if rng.random() < 0.9 else rng.randrange(1, 3)),
                    "step_type": kind,
                    "actor": entitled
                    if rng.random() < 0.6
                    else rng.choice(("judge", "deputy", "member", "chair", "e1")),
                    "step_at": moment.isoformat(),
                    "recorded_at": (moment + timedelta(hours=rng.choice((0, 0, 3, 200, -1)))).isoformat(),
                    "outcome": rng.choice(("upheld", "rejected")) if kind == "decided" else "",
                    "note": "",
                }
            )
            if kind == "escalated" and rng.random() < 0.8:
                level = min(level + 1, 2 if disputes[-1]["dispute_type"] == "shared_outcome" else 3)
    return disputes, steps


@pytest.mark.requirement("OPS-6.4")
@pytest.mark.requirement("DESK-6.5")
@pytest.mark.requirement("LTI-3.4")
@seed(SEED)
@settings(
    max_examples=30, deadline=None, database=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck)
)
@given(number=st.integers(0, 2**32))
def test_drawn_disputes_end_alike(engine: duckdb.DuckDBPyConnection, number: int) -> None:
    rng = random.Random(number)
    disputes, steps = drawn(rng)
    governed = rules(rng.randrange(1, 5), rng.randrange(0, 4))
    fill(engine, "dispute", disputes)
    fill(engine, "dispute_step", steps)
    fill(engine, "dispute_rule", governed)
    registers = Registers(
        *[()] * 9,
        MEMBERS,
        frozenset(),
        (),
        disputes=disputes,
        dispute_steps=steps,
        dispute_rules=governed,
        calendar_segments=SEGMENTS,
        calendar_holidays=HOLIDAYS,
    )
    for as_of_at in (at("2025-04-12T00:00:00"), at("2025-04-22T12:00:00"), at("2025-07-01T00:00:00")):
        fill(engine, "int_run_context", [{"as_of_at": as_of_at.isoformat()}])
        found = dict(
            engine.execute(
                "select dispute_id, greatest(decided_at, decision_recorded_at) from int_dispute where is_upheld"
            ).fetchall()
        )
        assert found == upheld_disputes(registers, as_of_at)


def test_the_drawing_reaches_every_end(engine: duckdb.DuckDBPyConnection) -> None:
    """Disputes that are all refused at the door would agree on anything."""
    seen: set[tuple[str, int]] = set()
    upheld = 0
    for number in range(40):
        as_of_at = ("2025-04-24T00:00:00", "2025-06-01T00:00:00")[number % 2]
        fill(engine, "int_run_context", [{"as_of_at": as_of_at}])
        disputes, steps = drawn(random.Random(number))
        fill(engine, "dispute", disputes)
        fill(engine, "dispute_step", steps)
        fill(engine, "dispute_rule", rules(1, 4))
        rows = engine.execute("select dispute_status, level_number, is_upheld from int_dispute").fetchall()
        seen |= {(status, level) for status, level, _ in rows}
        upheld += sum(is_upheld for *_, is_upheld in rows)
    assert {status for status, _ in seen} >= {"inadmissible", "withdrawn", "overdue", "decided", "closed"}, seen
    assert {level for _, level in seen} == {1, 2, 3}
    assert upheld > 20
