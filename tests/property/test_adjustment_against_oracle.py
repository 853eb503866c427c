"""Drawn adjustments, signatures and votes through the real models against the company's own judge in plain Python.

The judge (``ingestion.demo.reference_adjustments``) walks one request after the other and shares no code with the SQL.
Every request is drawn from one that is in order by spoiling nothing, one thing or several, and looked at as of several
instants, so that what was recorded later is not known earlier.
"""
# ruff: noqa: E501 (the cases stand one a line)

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from benchmarks.model_sql import model_sql
from ingestion.demo.reference_adjustments import Interests, Registers, at, judge_adjustments
from ingestion.demo.reference_exclusions import ExclusionRequest

SEED = 20251205
EXAMPLES = 40
REQUESTS = 12

COLUMNS: dict[str, str] = {
    "score_adjustment": (
        "adjustment_id varchar, adjustment_type varchar, metric_code varchar, entity_type varchar, entity_code varchar, "
        "period_grain varchar, period_start_on date, adjustment_method varchar, before_value decimal(18,6), "
        "after_value decimal(18,6), delta_value decimal(18,6), reason varchar, evidence_reference varchar, "
        "circumstance_exclusion_id varchar, dispute_id varchar, at_stake_amount decimal(18,2), currency_code varchar, "
        "requested_by varchar, requested_at timestamp, recorded_at timestamp, withdrawn_by varchar, "
        "withdrawn_at timestamp, withdrawn_recorded_at timestamp"
    ),
    "score_adjustment_approval": (
        "approval_id varchar, adjustment_id varchar, approver varchar, on_behalf_of varchar, role_code varchar, "
        "decision varchar, decided_at timestamp, recorded_at timestamp"
    ),
    "score_adjustment_vote": (
        "adjustment_id varchar, employee_number varchar, vote varchar, voted_at timestamp, recorded_at timestamp"
    ),
    "adjustment_rule": (
        "adjustment_type varchar, window_days integer, is_evidence_required boolean, "
        "is_designated_manager_required boolean, is_circumstance_required boolean, is_dispute_required boolean, "
        "is_manager_signature_refused boolean, board_code varchar, quorum_count integer, effective_from date, "
        "effective_to date"
    ),
    "adjustment_requester_role": ("adjustment_type varchar, role_code varchar, effective_from date, effective_to date"),
    "approval_threshold": (
        "threshold_code varchar, currency_code varchar, from_amount decimal(18,2), below_amount decimal(18,2), "
        "required_signature_count integer, required_executive_count integer, effective_from date, effective_to date"
    ),
    "approval_threshold_role": "threshold_code varchar, role_code varchar, is_executive boolean",
    "designated_manager": (
        "employee_number varchar, team_code varchar, designated_by varchar, from_on date, to_on date, "
        "recorded_at timestamp"
    ),
    "signing_delegation": (
        "delegation_id varchar, delegator varchar, delegate varchar, role_code varchar, from_on date, to_on date, "
        "recorded_at timestamp"
    ),
    "governance_member": (
        "employee_number varchar, body_code varchar, member_function varchar, role_code varchar, from_on date, "
        "to_on date, recorded_at timestamp"
    ),
    "metric_definition": "metric_code varchar",
    "int_adjustment_interest": "adjustment_id varchar, employee_number varchar, interest varchar",
    "int_exclusion_request": (
        "exclusion_id varchar, exclusion_source varchar, is_documented boolean, controllability varchar, "
        "starts_at timestamp, ends_at timestamp"
    ),
    "int_dispute": (
        "dispute_id varchar, adjustment_id varchar, metric_code varchar, entity_type varchar, entity_code varchar, "
        "period_grain varchar, period_start_on date, decided_at timestamp, decision_recorded_at timestamp, "
        "is_upheld boolean"
    ),
    "int_run_context": "as_of_at timestamp",
}
MODELS = ("int_score_adjustment_signature", "int_score_adjustment_vote", "int_score_adjustment")


def rows_of(text: str) -> list[dict[str, str]]:
    """A small table written as text: a line of names, a line for each row; . is an empty cell."""
    lines = [line.split() for line in text.strip().splitlines()]
    return [dict(zip(lines[0], ("" if cell == "." else cell for cell in line), strict=True)) for line in lines[1:]]


RULES = rows_of("""
    adjustment_type window_days is_evidence_required is_designated_manager_required is_circumstance_required is_dispute_required is_manager_signature_refused board_code quorum_count effective_from effective_to
    correction 25 true false false false false . . 2024-01-01 .
    performance_exception 20 true true false false true . . 2024-01-01 .
    board_override 28 false false true false true board 2 2024-01-01 .
""")  # fmt: skip
REQUESTER_ROLES = rows_of("""
    adjustment_type role_code effective_from effective_to
    correction manager 2024-01-01 .
    board_override chair 2024-01-01 2025-04-12
""")
THRESHOLDS = rows_of("""
    threshold_code currency_code from_amount below_amount required_signature_count required_executive_count effective_from effective_to
    one EUR 0.00 1000.00 1 0 2024-01-01 .
    two EUR 1000.00 5000.00 2 0 2024-01-01 .
    top EUR 5000.00 . 2 1 2024-01-01 .
""")  # fmt: skip
THRESHOLD_ROLES = rows_of("""
    threshold_code role_code is_executive
    one manager false
    one controller false
    one cfo true
    two controller false
    two hr false
    two cfo true
    top controller false
    top hr false
    top cfo true
""")
DESIGNATED = rows_of("""
    employee_number team_code designated_by from_on to_on recorded_at
    lead t1 boss 2024-01-01 . 2023-12-15T09:00:00
    self t1 self 2024-01-01 . 2023-12-15T09:00:00
    past t1 boss 2024-01-01 2025-04-03 2023-12-15T09:00:00
    newly t1 boss 2024-01-01 . 2025-04-03T10:00:01
""")
DELEGATIONS = rows_of("""
    delegation_id delegator delegate role_code from_on to_on recorded_at
    d1 fin deputy controller 2025-04-01 2025-04-12 2025-03-30T09:00:00
    d2 boss fin cfo 2025-04-01 2025-04-30 2025-03-30T09:00:00
    d3 hr1 lead hr 2025-04-01 2025-04-30 2025-04-09T09:00:00
    d4 fin agent controller 2025-04-01 2025-04-30 2025-03-30T09:00:00
    d5 lead2 deputy hr 2025-04-01 2025-04-30 2025-03-30T09:00:00
""")
MEMBERS = rows_of("""
    employee_number body_code member_function role_code from_on to_on recorded_at
    slm board operations manager 2024-01-01 . 2023-12-15T09:00:00
    fin board finance controller 2024-01-01 . 2023-12-15T09:00:00
    fin2 committee finance controller 2024-01-01 2025-04-10 2025-04-08T12:00:00
    hr1 board hr hr 2024-01-01 . 2023-12-15T09:00:00
    boss committee finance cfo 2024-01-01 . 2023-12-15T09:00:00
    chair board risk chair 2024-01-01 . 2025-04-03T10:00:00
    plain board risk . 2024-01-01 . 2025-04-08T08:00:00
    lead2 committee hr hr 2024-01-01 . 2023-12-15T09:00:00
""")
EXCLUSIONS = {
    # code: documented, outside our control, first and last day
    "storm": (True, True, "2025-02-01T00:00:00", "2025-02-02T00:00:00"),
    "rumour": (False, True, "2025-02-01T00:00:00", "2025-02-02T00:00:00"),
    "release": (True, False, "2025-02-01T00:00:00", "2025-02-02T00:00:00"),
    "later": (True, True, "2025-04-01T00:00:00", "2025-04-02T00:00:00"),
    "before": (True, True, "2024-12-31T00:00:00", "2025-01-01T00:00:00"),
}
PEOPLE = ("slm", "fin", "fin2", "hr1", "boss", "chair", "plain", "lead", "lead2", "deputy", "agent", "self", "past")
ROLES = ("manager", "controller", "hr", "cfo", "chair")
BENEFICIARIES, MANAGERS = frozenset({"agent"}), frozenset({"lead", "lead2"})


def registers(adjustments: list[dict[str, str]], approvals: list[dict[str, str]], votes: list[dict[str, str]]) -> Registers:  # fmt: skip
    return Registers(
        adjustments=adjustments,
        approvals=approvals,
        votes=votes,
        rules=RULES,
        requester_roles=REQUESTER_ROLES,
        thresholds=THRESHOLDS,
        threshold_roles=THRESHOLD_ROLES,
        designated_managers=DESIGNATED,
        delegations=DELEGATIONS,
        members=MEMBERS,
        metric_codes=frozenset({"m"}),
        exclusions=[
            ExclusionRequest(
                exclusion_id=code,
                category="c",
                scope_type="all",
                scope_code="",
                is_outside_control=is_outside,
                windows=((datetime.fromisoformat(first).replace(tzinfo=UTC), datetime.fromisoformat(last).replace(tzinfo=UTC)),),
                own_fault="" if is_documented else "papers missing",
            )
            for code, (is_documented, is_outside, first, last) in EXCLUSIONS.items()
        ],
    )  # fmt: skip


def request(adjustment_id: str, adjustment_type: str, amount: str, **changed: str) -> dict[str, str]:
    """A request of 2025-Q1 that is in order, but for what is changed."""
    asker = {"correction": "slm", "performance_exception": "lead", "board_override": "chair"}[adjustment_type]
    row = {
        "adjustment_id": adjustment_id,
        "adjustment_type": adjustment_type,
        "metric_code": "m",
        "entity_type": "team",
        "entity_code": "t1",
        "period_grain": "quarter",
        "period_start_on": "2025-01-01",
        "adjustment_method": "add",
        "before_value": "",
        "after_value": "",
        "delta_value": "0.01",
        "reason": "why",
        "evidence_reference": "doc",
        "circumstance_exclusion_id": "storm" if adjustment_type == "board_override" else "",
        "dispute_id": "",
        "at_stake_amount": amount,
        "currency_code": "EUR",
        "requested_by": asker,
        "requested_at": "2025-04-03T09:00:00",
        "recorded_at": "2025-04-03T10:00:00",
        "withdrawn_by": "",
        "withdrawn_at": "",
        "withdrawn_recorded_at": "",
    }
    assert not set(changed) - set(row)
    return {**row, **changed}


def signature(number: int, adjustment_id: str, approver: str, role_code: str, **changed: str) -> dict[str, str]:
    row = {
        "approval_id": f"s{number:03d}",
        "adjustment_id": adjustment_id,
        "approver": approver,
        "on_behalf_of": "",
        "role_code": role_code,
        "decision": "approved",
        "decided_at": "2025-04-07T09:00:00",
        "recorded_at": "2025-04-07T10:00:00",
    }
    assert not set(changed) - set(row)
    return {**row, **changed}


def vote(adjustment_id: str, employee_number: str, choice: str = "for", **changed: str) -> dict[str, str]:
    row = {
        "adjustment_id": adjustment_id,
        "employee_number": employee_number,
        "vote": choice,
        "voted_at": "2025-04-08T09:00:00",
        "recorded_at": "2025-04-08T10:00:00",
    }
    assert not set(changed) - set(row)
    return {**row, **changed}


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for table, columns in COLUMNS.items():
            connection.execute(f"create table {table} ({columns})")
        for table, rows in (
            ("adjustment_rule", RULES),
            ("adjustment_requester_role", REQUESTER_ROLES),
            ("approval_threshold", THRESHOLDS),
            ("approval_threshold_role", THRESHOLD_ROLES),
            ("designated_manager", DESIGNATED),
            ("signing_delegation", DELEGATIONS),
            ("governance_member", MEMBERS),
            ("metric_definition", [{"metric_code": "m"}]),
        ):
            fill(connection, table, rows)
        connection.executemany(
            "insert into int_exclusion_request values (?, 'exclusion_request', ?, ?, ?, ?)",
            [
                (code, is_documented, "outside_control" if is_outside else "within_control", first, last)
                for code, (is_documented, is_outside, first, last) in EXCLUSIONS.items()
            ],
        )
        for model in MODELS:
            connection.execute(f"create view {model} as {model_sql(model)}")
        yield connection


def fill(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, str]]) -> None:
    connection.execute(f"delete from {table}")
    if rows:
        names = [column.split()[0] for column in COLUMNS[table].replace("(18,", "(18").split(", ")]
        connection.executemany(
            f"insert into {table} values ({', '.join('?' for _ in names)})",
            [tuple(row[name] or None for name in names) for row in rows],
        )


def load(
    connection: duckdb.DuckDBPyConnection,
    adjustments: list[dict[str, str]],
    approvals: list[dict[str, str]],
    votes: list[dict[str, str]],
) -> None:
    fill(connection, "score_adjustment", adjustments)
    fill(connection, "score_adjustment_approval", approvals)
    fill(connection, "score_adjustment_vote", votes)
    fill(
        connection,
        "int_adjustment_interest",
        [
            {"adjustment_id": row["adjustment_id"], "employee_number": who, "interest": interest}
            for row in adjustments
            for interest, people in (("beneficiary", BENEFICIARIES), ("manager", MANAGERS))
            for who in sorted(people)
        ],
    )


def found_reasons(connection: duckdb.DuckDBPyConnection, as_of_at: datetime) -> dict[str, list[str]]:
    fill(connection, "int_run_context", [{"as_of_at": as_of_at.isoformat()}])
    rows = connection.execute(
        "select adjustment_id, refusal_reasons, is_effective, adjustment_status from int_score_adjustment"
    ).fetchall()
    for _, reasons, is_effective, status in rows:
        assert is_effective == (reasons is None) == (status == "effective")
    return {key: reasons.split(", ") if reasons else [] for key, reasons, _, _ in rows}


def judged_reasons(
    adjustments: list[dict[str, str]],
    approvals: list[dict[str, str]],
    votes: list[dict[str, str]],
    as_of_at: datetime,
) -> dict[str, list[str]]:
    interests = Interests(
        {row["adjustment_id"]: BENEFICIARIES for row in adjustments},
        {row["adjustment_id"]: MANAGERS for row in adjustments},
    )
    verdicts = judge_adjustments(registers(adjustments, approvals, votes), interests, as_of_at)
    return {key: verdict.reasons for key, verdict in verdicts.items()}


SPOILS: tuple[dict[str, str], ...] = (
    {"metric_code": "unknown"},
    {"period_start_on": "2025-02-01"},
    {"period_start_on": "2025-04-01"},
    {"period_grain": "month", "period_start_on": "2025-03-01"},
    {"delta_value": ""},
    {"adjustment_method": "set", "delta_value": "", "before_value": "0.5", "after_value": "0.6"},
    {"adjustment_method": "set", "delta_value": "", "before_value": "0.5", "after_value": "0.5"},
    {"reason": ""},
    {"evidence_reference": ""},
    {"circumstance_exclusion_id": "rumour"},
    {"circumstance_exclusion_id": "release"},
    {"circumstance_exclusion_id": "later"},
    {"circumstance_exclusion_id": "before"},
    {"circumstance_exclusion_id": ""},
    {"at_stake_amount": ""},
    {"currency_code": "GBP"},
    {"requested_at": "2025-03-31T23:59:59", "recorded_at": "2025-03-31T23:59:59"},
    {"requested_at": "2025-04-25T23:59:59", "recorded_at": "2025-04-25T23:59:59"},
    {"requested_at": "2025-04-26T00:00:00", "recorded_at": "2025-04-26T00:00:00"},
    {"recorded_at": "2025-04-26T00:00:00"},
    {"recorded_at": "2025-04-02T00:00:00"},
    {"requested_by": ""},
    {"requested_at": "2025-04-04T09:00:00", "recorded_at": "2025-04-04T09:00:00", "requested_by": "past"},
    {"withdrawn_by": "slm", "withdrawn_at": "2025-04-09T09:00:00", "withdrawn_recorded_at": "2025-04-09T09:00:00"},
    {"withdrawn_by": "slm", "withdrawn_at": "2025-05-09T09:00:00", "withdrawn_recorded_at": "2025-05-09T09:00:00"},
    {"withdrawn_by": "fin", "withdrawn_at": "2025-04-09T09:00:00", "withdrawn_recorded_at": "2025-04-09T09:00:00"},
)


def drawn_request(rng: random.Random, number: int) -> dict[str, str]:
    kind = rng.choice([rule["adjustment_type"] for rule in RULES])
    amount = rng.choice(("0.00", "999.99", "1000.00", "4999.99", "5000.00", "8000.00"))
    row = request(f"a{number:02d}", kind, amount, entity_code=rng.choice(("t1", f"t{number}")))
    if kind == "performance_exception":
        row["entity_code"] = rng.choice(("t1", "t1", "t2"))
    if rng.random() < 0.3:
        row["requested_by"] = rng.choice(PEOPLE)
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        row.update(rng.choice(SPOILS))
    return row


def drawn_signature(rng: random.Random, number: int, adjustment_id: str) -> dict[str, str]:
    good = (("fin", "controller"), ("hr1", "hr"), ("boss", "cfo"), ("fin2", "controller"), ("slm", "manager"))
    who, role = rng.choice(good) if rng.random() < 0.7 else (rng.choice(PEOPLE), rng.choice(ROLES))
    row = signature(number, adjustment_id, who, role)
    if rng.random() < 0.25:
        lent = rng.choice(DELEGATIONS)
        row |= {"approver": lent["delegate"], "on_behalf_of": lent["delegator"], "role_code": lent["role_code"]}
    if rng.random() < 0.35:
        decided_at = at("2025-04-02T09:00:00") + timedelta(hours=rng.randrange(0, 28 * 24))
        row["decided_at"] = decided_at.isoformat()
        row["recorded_at"] = (decided_at + timedelta(hours=rng.choice((-1, 0, 2, 72, 400)))).isoformat()
    if rng.random() < 0.1:
        row["decision"] = "rejected"
    return row


def drawn_votes(rng: random.Random, adjustment_id: str) -> list[dict[str, str]]:
    found = []
    for who in rng.sample(PEOPLE, rng.randrange(0, 7)):
        row = vote(adjustment_id, who, rng.choice(("for", "for", "against", "abstain")))
        if rng.random() < 0.2:
            voted_at = at("2025-04-02T09:00:00") + timedelta(hours=rng.randrange(0, 30 * 24))
            row |= {"voted_at": voted_at.isoformat(), "recorded_at": (voted_at + timedelta(hours=5)).isoformat()}
        found.append(row)
    return found


@pytest.mark.requirement("LTI-3.5")
@pytest.mark.requirement("OPS-7.6")
@pytest.mark.requirement("LTI-3.3")
@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(number=st.integers(0, 2**32))
def test_drawn_adjustments_are_judged_alike(engine: duckdb.DuckDBPyConnection, number: int) -> None:
    rng = random.Random(number)
    adjustments = [drawn_request(rng, place) for place in range(REQUESTS)]
    approvals: list[dict[str, str]] = []
    votes: list[dict[str, str]] = []
    for row in adjustments:
        for _ in range(rng.randrange(0, 5)):
            approvals.append(drawn_signature(rng, len(approvals), row["adjustment_id"]))
        votes += drawn_votes(rng, row["adjustment_id"])
    load(engine, adjustments, approvals, votes)
    for as_of_at in (
        at("2025-04-07T09:30:00"),
        at("2025-04-08T12:00:00"),
        at("2025-04-20T00:00:00"),
        at("2026-01-05T00:00:00"),
    ):
        assert found_reasons(engine, as_of_at) == judged_reasons(adjustments, approvals, votes, as_of_at)


def test_the_drawing_reaches_effect_and_every_reason() -> None:
    """An oracle that agrees on nothing but refusals proves nothing."""
    seen: dict[str, int] = {}
    for number in range(150):
        rng = random.Random(number)
        adjustments = [drawn_request(rng, place) for place in range(REQUESTS)]
        approvals: list[dict[str, str]] = []
        votes: list[dict[str, str]] = []
        for row in adjustments:
            for _ in range(rng.randrange(0, 5)):
                approvals.append(drawn_signature(rng, len(approvals), row["adjustment_id"]))
            votes += drawn_votes(rng, row["adjustment_id"])
        for reasons in judged_reasons(adjustments, approvals, votes, at("2026-01-05T00:00:00")).values():
            for reason in reasons or ["effective"]:
                seen[reason] = seen.get(reason, 0) + 1
    expected = {
        "effective", "withdrawn", "rejected", "metric_unknown", "period_unknown", "value_incomplete", "reason_missing",
        "evidence_missing", "requester_missing", "requester_not_designated", "requester_not_entitled",
        "requester_is_beneficiary", "requested_before_period_end", "requested_after_window",
        "recorded_before_requested", "amount_missing", "threshold_missing", "signatures_missing", "executive_missing",
        "circumstance_missing", "circumstance_not_documented", "circumstance_within_control",
        "circumstance_outside_period", "quorum_missing", "vote_lost", "conflicts_with_another",
    }  # fmt: skip
    assert expected == set(seen), expected ^ set(seen)
    assert seen["effective"] > 50, seen


# --- each condition removed in turn, worked by hand ---

AS_OF = at("2026-01-05T00:00:00")
DUAL = [signature(1, "a", "fin", "controller"), signature(2, "a", "hr1", "hr")]
CARRIED = [vote("a", "fin"), vote("a", "hr1"), vote("a", "plain", "against")]

# name, type, amount, what is changed in the request, signatures, votes, the reasons
REMOVED: list[tuple[str, str, str, dict[str, str], list[dict[str, str]], list[dict[str, str]], list[str]]] = [
    ("all in order", "correction", "1000.00", {}, DUAL, [], []),
    ("one signature below the limit", "correction", "999.99", {}, DUAL[:1], [], []),
    ("one signature at the limit", "correction", "1000.00", {}, DUAL[:1], [], ["signatures_missing"]),
    ("two, none of them the CFO", "correction", "5000.00", {}, DUAL, [], ["executive_missing"]),
    ("two, one of them the CFO", "correction", "5000.00", {}, [DUAL[0], signature(2, "a", "boss", "cfo")], [], []),
    ("the CFO by a delegate", "correction", "5000.00", {}, [DUAL[1], signature(2, "a", "fin", "cfo", on_behalf_of="boss")], [], ["executive_missing"]),
    ("one hand for two holders", "correction", "1000.00", {}, [signature(1, "a", "fin", "controller"), signature(2, "a", "fin", "cfo", on_behalf_of="boss")], [], ["signatures_missing"]),
    ("holder and delegate", "correction", "1000.00", {}, [signature(1, "a", "fin", "controller"), signature(2, "a", "deputy", "controller", on_behalf_of="fin")], [], ["signatures_missing"]),
    ("delegate in person's place", "correction", "1000.00", {}, [DUAL[1], signature(2, "a", "deputy", "controller", on_behalf_of="fin")], [], []),
    ("delegation over", "correction", "1000.00", {}, [DUAL[1], signature(2, "a", "deputy", "controller", on_behalf_of="fin", decided_at="2025-04-13T09:00:00", recorded_at="2025-04-13T09:00:00")], [], ["signatures_missing"]),
    ("delegation entered afterwards", "correction", "1000.00", {}, [DUAL[0], signature(2, "a", "lead", "hr", on_behalf_of="hr1")], [], ["signatures_missing"]),
    ("requester signs", "correction", "999.99", {}, [signature(1, "a", "slm", "manager")], [], ["signatures_missing"]),
    ("requester has it signed by a delegate", "performance_exception", "1000.00", {"requested_by": "hr1"}, [DUAL[0], signature(2, "a", "lead", "hr", on_behalf_of="hr1", decided_at="2025-04-09T10:00:00", recorded_at="2025-04-09T10:00:00")], [], ["requester_not_designated", "signatures_missing"]),
    ("beneficiary signs for a holder", "correction", "999.99", {}, [signature(1, "a", "agent", "controller", on_behalf_of="fin")], [], ["signatures_missing"]),
    ("manager signs where it is not governed", "correction", "1000.00", {}, [DUAL[0], signature(2, "a", "lead2", "hr")], [], []),
    ("manager signs where it is governed", "performance_exception", "1000.00", {}, [DUAL[0], signature(2, "a", "lead2", "hr")], [], ["signatures_missing"]),
    ("a manager has it signed by a delegate", "performance_exception", "1000.00", {}, [DUAL[0], signature(2, "a", "deputy", "hr", on_behalf_of="lead2")], [], ["signatures_missing"]),
    ("role not of the band", "correction", "1000.00", {"requested_by": "slm"}, [DUAL[0], signature(2, "a", "chair", "chair")], [], ["signatures_missing"]),
    ("role given up the day before", "correction", "999.99", {}, [signature(1, "a", "fin2", "controller", decided_at="2025-04-11T09:00:00", recorded_at="2025-04-11T09:00:00")], [], ["signatures_missing"]),
    ("role given up that day", "correction", "999.99", {}, [signature(1, "a", "fin2", "controller", decided_at="2025-04-10T23:59:59", recorded_at="2025-04-11T09:00:00")], [], []),
    ("signed before it was asked for", "correction", "999.99", {}, [signature(1, "a", "fin", "controller", decided_at="2025-04-03T08:59:59")], [], ["signatures_missing"]),
    ("signed in the window's last second", "correction", "999.99", {}, [signature(1, "a", "fin", "controller", decided_at="2025-04-25T23:59:59", recorded_at="2025-04-25T23:59:59")], [], []),
    ("recorded a second too late", "correction", "999.99", {}, [signature(1, "a", "fin", "controller", recorded_at="2025-04-26T00:00:00")], [], ["signatures_missing"]),
    ("rejected by one entitled", "correction", "999.99", {}, [DUAL[0], signature(2, "a", "slm2", "manager", decision="rejected"), signature(3, "a", "boss", "cfo", decision="rejected")], [], ["rejected"]),
    ("rejected by one not entitled", "correction", "1000.00", {}, [*DUAL, signature(3, "a", "chair", "chair", decision="rejected")], [], []),
    ("signature taken back", "correction", "999.99", {}, [DUAL[0], signature(2, "a", "fin", "controller", decision="rejected", recorded_at="2025-04-08T09:00:00")], [], ["rejected", "signatures_missing"]),
    ("a void rejection after the signature", "correction", "999.99", {}, [DUAL[0], signature(2, "a", "fin", "legal", decision="rejected", recorded_at="2025-04-08T09:00:00")], [], []),
    ("a void signature after the signature", "correction", "999.99", {}, [DUAL[0], signature(2, "a", "fin", "controller", recorded_at="2025-04-26T00:00:00")], [], []),
    ("a void signature after the rejection", "correction", "999.99", {}, [signature(1, "a", "fin", "controller", decision="rejected"), signature(2, "a", "hr1", "manager"), signature(3, "a", "fin", "controller", recorded_at="2025-04-26T00:00:00"), signature(4, "a", "boss", "cfo")], [], ["rejected"]),
    ("manager not designated", "performance_exception", "999.99", {"requested_by": "past", "requested_at": "2025-04-04T09:00:00", "recorded_at": "2025-04-04T09:00:00"}, DUAL[:1], [], ["requester_not_designated"]),
    ("manager designated after the request was entered", "performance_exception", "999.99", {"requested_by": "newly"}, DUAL[:1], [], ["requester_not_designated"]),
    ("manager designated before it was", "performance_exception", "999.99", {"requested_by": "newly", "recorded_at": "2025-04-03T10:00:01"}, DUAL[:1], [], []),
    ("role entered after the signature", "correction", "999.99", {}, [signature(1, "a", "fin2", "controller", recorded_at="2025-04-08T11:59:59")], [], ["signatures_missing"]),
    ("role entered with the signature", "correction", "999.99", {}, [signature(1, "a", "fin2", "controller", recorded_at="2025-04-08T12:00:00")], [], []),
    ("requester's role entered after the request", "board_override", "1000.00", {"requested_at": "2025-04-03T09:59:59", "recorded_at": "2025-04-03T09:59:59"}, DUAL, CARRIED, ["requester_not_entitled"]),
    ("seat entered after the vote", "board_override", "1000.00", {}, DUAL, [vote("a", "fin"), vote("a", "plain", voted_at="2025-04-08T07:00:00", recorded_at="2025-04-08T07:59:59")], ["quorum_missing"]),
    ("manager of another team", "performance_exception", "999.99", {"entity_code": "t2"}, DUAL[:1], [], ["requester_not_designated"]),
    ("manager who named himself", "performance_exception", "999.99", {"requested_by": "self"}, DUAL[:1], [], ["requester_not_designated"]),
    ("override in order", "board_override", "1000.00", {}, DUAL, CARRIED, []),
    ("override without a circumstance", "board_override", "1000.00", {"circumstance_exclusion_id": ""}, DUAL, CARRIED, ["circumstance_missing"]),
    ("override of a rumour", "board_override", "1000.00", {"circumstance_exclusion_id": "rumour"}, DUAL, CARRIED, ["circumstance_not_documented"]),
    ("override of our own release", "board_override", "1000.00", {"circumstance_exclusion_id": "release"}, DUAL, CARRIED, ["circumstance_within_control"]),
    ("override of another quarter's storm", "board_override", "1000.00", {"circumstance_exclusion_id": "later"}, DUAL, CARRIED, ["circumstance_outside_period"]),
    ("override without a vote", "board_override", "1000.00", {}, DUAL, [], ["quorum_missing"]),
    ("override with a tie", "board_override", "1000.00", {}, DUAL, [vote("a", "fin"), vote("a", "hr1", "against")], ["vote_lost"]),
    ("quorum only with the requester", "board_override", "1000.00", {}, DUAL, [vote("a", "fin"), vote("a", "chair")], ["quorum_missing"]),
    ("quorum only with an outsider", "board_override", "1000.00", {}, DUAL, [vote("a", "fin"), vote("a", "boss")], ["quorum_missing"]),
]  # fmt: skip


@pytest.mark.requirement("OPS-3.4")
@pytest.mark.requirement("OPS-7.6")
@pytest.mark.requirement("LTI-3.1")
@pytest.mark.requirement("LTI-3.3")
@pytest.mark.requirement("LTI-3.5")
@pytest.mark.parametrize("case", REMOVED, ids=lambda case: case[0])
def test_each_condition_removed_takes_the_effect_away(engine: duckdb.DuckDBPyConnection, case: Any) -> None:
    _, kind, amount, changed, approvals, votes, reasons = case
    adjustments = [request("a", kind, amount, **changed)]
    load(engine, adjustments, approvals, votes)
    assert found_reasons(engine, AS_OF) == {"a": reasons}
    assert judged_reasons(adjustments, approvals, votes, AS_OF) == {"a": reasons}


@pytest.mark.requirement("LTI-3.2")
def test_an_approval_recorded_later_is_not_known_before(engine: duckdb.DuckDBPyConnection) -> None:
    """Decided on the 7th and recorded on the 10th: pending until then, in effect from that instant on."""
    late = [DUAL[0], signature(2, "a", "hr1", "hr", recorded_at="2025-04-10T12:00:00")]
    load(engine, [request("a", "correction", "1000.00")], late, [])
    assert found_reasons(engine, at("2025-04-03T09:59:59")) == {}
    assert found_reasons(engine, at("2025-04-10T11:59:59")) == {"a": ["signatures_missing"]}
    (status,) = engine.execute("select adjustment_status from int_score_adjustment").fetchone() or ()
    assert status == "pending"
    assert found_reasons(engine, at("2025-04-10T12:00:00")) == {"a": []}
    effective_at = engine.execute("select effective_at from int_score_adjustment").fetchone()
    assert effective_at == (at("2025-04-10T12:00:00"),)


@pytest.mark.requirement("LTI-3.4")
@pytest.mark.parametrize(
    ("recorded_at", "as_of_at", "reasons"),
    [
        ("2025-04-03T09:00:00", AS_OF, []),
        # decided before the request, entered a second after it
        ("2025-04-03T09:00:01", AS_OF, ["dispute_not_upheld"]),
        ("2025-04-09T00:00:00", at("2025-04-08T00:00:00"), ["dispute_not_upheld"]),
    ],
)
def test_a_decision_of_a_dispute_counts_from_when_it_was_recorded(
    engine: duckdb.DuckDBPyConnection, recorded_at: str, as_of_at: datetime, reasons: list[str]
) -> None:
    rules = [*RULES, {**RULES[0], "adjustment_type": "dispute_outcome", "is_dispute_required": "true"}]
    roles = [*REQUESTER_ROLES, {**REQUESTER_ROLES[0], "adjustment_type": "dispute_outcome"}]
    outcome = {**request("a", "correction", "999.99", dispute_id="d"), "adjustment_type": "dispute_outcome"}
    about = {name: outcome[name] for name in ("metric_code", "entity_type", "entity_code", "period_grain", "period_start_on")}  # fmt: skip
    dispute = {**about, "dispute_id": "d", "adjustment_id": "a", "dispute_type": "score", "opened_by": "e1", "opened_at": "2025-04-02T00:00:00", "recorded_at": "2025-04-02T00:00:00"}  # fmt: skip
    step = {"dispute_id": "d", "level_number": "1", "step_type": "decided", "actor": "boss", "step_at": "2025-04-02T12:00:00", "recorded_at": recorded_at, "outcome": "upheld"}  # fmt: skip
    terms = {"dispute_type": "score", "level_number": "1", "instance_code": "cfo", "turnaround_days": "3", "escalation_days": "3", "publication_days": "0", "contest_window_days": "10", "calendar_code": "c", "effective_from": "2024-01-01", "effective_to": ""}  # fmt: skip
    week = [{"calendar_code": "c", "iso_weekday": str(day), "effective_from": "2020-01-01", "effective_to": ""} for day in range(1, 8)]  # fmt: skip
    load(engine, [outcome], DUAL, [])
    try:
        fill(engine, "adjustment_rule", rules)
        fill(engine, "adjustment_requester_role", roles)
        fill(engine, "int_dispute", [{**about, "dispute_id": "d", "adjustment_id": "a", "decided_at": step["step_at"], "decision_recorded_at": recorded_at, "is_upheld": "true"}])  # fmt: skip
        assert found_reasons(engine, as_of_at) == {"a": reasons}
    finally:
        fill(engine, "adjustment_rule", RULES)
        fill(engine, "adjustment_requester_role", REQUESTER_ROLES)
        fill(engine, "int_dispute", [])
    governed = replace(registers([outcome], DUAL, []), rules=rules, requester_roles=roles, disputes=[dispute], dispute_steps=[step], dispute_rules=[terms], calendar_segments=week)  # fmt: skip
    interests = Interests({"a": BENEFICIARIES}, {"a": MANAGERS})
    assert judge_adjustments(governed, interests, as_of_at)["a"].reasons == reasons


def test_two_in_order_on_one_result_stop_each_other_until_one_is_withdrawn(engine: duckdb.DuckDBPyConnection) -> None:
    taken_back = {"withdrawn_by": "slm", "withdrawn_at": "2025-04-12T09:00:00", "withdrawn_recorded_at": "2025-04-12T09:00:00"}  # fmt: skip
    adjustments = [request("a", "correction", "1.00"), request("b", "correction", "2.00", **taken_back)]
    load(engine, adjustments, [DUAL[0], signature(2, "b", "fin", "controller")], [])
    assert found_reasons(engine, at("2025-04-12T08:00:00")) == {
        "a": ["conflicts_with_another"],
        "b": ["conflicts_with_another"],
    }
    assert found_reasons(engine, at("2025-04-12T09:00:00")) == {"a": [], "b": ["withdrawn"]}
