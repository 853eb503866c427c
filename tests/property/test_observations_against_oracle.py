"""Drawn histories and drawn changes through the real models against plain loops.

The oracle walks one ticket's events in order with a few variables, and looks at each incident by itself for the change
it is held against; the SQL uses windows and an asof join, and shares no code with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from benchmarks.model_sql import model_sql

SEED = 20251123
# instants without a zone are UTC, as in the warehouse
BEGIN = datetime.fromisoformat("2025-01-01T00:00:00")
AS_OF = datetime.fromisoformat("2025-02-10T00:00:00")
TEAMS = {"Desk": ("desk", 1), "Net": ("net", 2), "Lab": ("lab", 3)}
GROUPS = (*TEAMS, "Payroll", None)
STATES = ("new", "in_progress", "on_hold", "awaiting_caller", "resolved", "closed", "canceled", "unknown")
STOPPED = ("resolved", "closed")
SERVICES = ("mail", "erp")
CAUSES = ("quality", "user", None)

TABLES = """
    create table int_ticket_event (
        ticket_id integer, ticket_key varchar, event_sequence integer, event_at timestamp, ticket_state varchar,
        priority integer, service_code varchar, contract_code varchar, exclusion_scope_code varchar, team_code varchar,
        assignment_group_name varchar, assigned_employee_number varchar
    );
    create table int_ticket (
        ticket_key varchar, source_system varchar, opened_at timestamp, ticket_state varchar,
        has_history_contradiction boolean, channel varchar, batch_id varchar
    );
    create table team (team_code varchar, tier integer);
    create table int_change_request (
        change_request_key varchar, source_system varchar, change_number varchar, change_type varchar,
        risk_code varchar, service_code varchar, team_code varchar, planned_end_at timestamp, close_code varchar,
        is_implemented boolean, batch_id varchar
    );
    create table known_course (
        ticket_key varchar, observation_status varchar, service_code varchar, opened_at timestamp, priority integer
    );
    create table int_ticket_complexity (ticket_key varchar, performance_category varchar);
    create table change_outcome_rule (
        source_system varchar, outcome_code varchar, close_code varchar, category varchar, to_priority integer,
        window_days integer, effective_from date, effective_to date
    );
    create table int_run_context (as_of_at timestamp);
"""


@dataclass(frozen=True)
class Event:
    """What a ticket looks like after one save."""

    hour: int
    state: str
    group: str | None
    person: str | None


@dataclass(frozen=True)
class Change:
    hour: int
    service: str | None
    code: str
    is_implemented: bool


@dataclass(frozen=True)
class Incident:
    hour: int
    service: str
    priority: int
    cause: str | None
    status: str


events = st.builds(
    Event,
    hour=st.integers(0, 400),
    state=st.sampled_from(STATES),
    group=st.sampled_from(GROUPS),
    person=st.sampled_from(("e1", "e2", None)),
)
histories = st.lists(events, min_size=1, max_size=9).map(lambda drawn: sorted(drawn, key=lambda event: event.hour))
changes = st.builds(
    Change,
    # few days, so that changes of a service end at one instant
    hour=st.one_of(st.integers(0, 2), st.integers(0, 30)).map(lambda day: day * 24),
    service=st.sampled_from((*SERVICES, None)),
    code=st.sampled_from(("fine", "bad")),
    is_implemented=st.booleans(),
)
incidents = st.builds(
    Incident,
    # whole days now and then: the very end of a change, the very end of a window
    hour=st.one_of(st.integers(0, 900), st.integers(0, 35).map(lambda day: day * 24)),
    service=st.sampled_from(SERVICES),
    priority=st.integers(1, 4),
    cause=st.sampled_from(CAUSES),
    status=st.sampled_from(("observed", "open", "canceled")),
)


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        connection.executemany("insert into team values (?, ?)", list(TEAMS.values()))
        connection.execute("insert into int_run_context values (?)", [AS_OF])
        connection.execute(
            """
            insert into change_outcome_rule values
            ('s', 'failed', 'bad', null, null, null, date '2025-01-01', null),
            ('s', 'failed', null, 'quality', 2, 3, date '2025-01-01', null),
            ('s', 'defect', null, 'quality', 5, 14, date '2025-01-01', null)
            """
        )
        connection.execute(f"create view int_ticket_course as {model_sql('int_ticket_course')}")
        outcome = model_sql("int_change_outcome", {"int_ticket_course": "known_course"})
        connection.execute(f"create view int_change_outcome as {outcome}")
        yield connection


def course(history: list[Event]) -> dict[str, object]:
    """One ticket's life, event by event."""
    found: dict[str, object] = {"responded": None, "first_team": None, "first_person": None}
    counts: Counter[str] = Counter()
    group = team = person = None
    state: str | None = None
    stopped_at: Event | None = None
    is_group_seen = False
    for event in history:
        if event.state in STOPPED and state not in STOPPED:
            stopped_at = event
        if state in STOPPED and event.state not in (*STOPPED, "canceled"):
            counts["reopenings"] += 1
        if event.state == "awaiting_caller" and state != "awaiting_caller":
            counts["waits"] += 1
        if event.state not in ("new", "unknown", "canceled") and found["responded"] is None:
            found["responded"] = event.hour
        if event.group is not None:
            code, tier = TEAMS.get(event.group, (None, None))
            if group is not None and event.group != group:
                counts["handovers"] += 1
                counts["escalations"] += bool(tier and team and tier > dict(TEAMS.values())[team])
            group, team = event.group, code or team
            if not is_group_seen:
                found["first_team"], is_group_seen = code, True
        if event.person is not None:
            counts["persons"] += person is not None and event.person != person
            person = event.person
            found["first_person"] = found["first_person"] or person
        state = event.state
    status = "canceled" if state == "canceled" else "observed" if state in STOPPED else "open"
    counted = stopped_at if status == "observed" else history[-1]
    assert counted is not None
    is_clean = not any(counts[name] for name in ("handovers", "persons", "reopenings", "waits"))
    return found | {
        "status": status,
        "resolved": counted.hour if status == "observed" else None,
        "team": TEAMS.get(counted.group or "", (None,))[0],
        "person": counted.person,
        "first_contact": status == "observed" and is_clean,
        **{name: counts[name] for name in ("handovers", "escalations", "persons", "reopenings", "waits")},
    }


@seed(SEED)
@settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(tickets=st.lists(histories, min_size=20, max_size=60))
def test_courses_agree_with_a_plain_walk(engine: duckdb.DuckDBPyConnection, tickets: list[list[Event]]) -> None:
    engine.execute("delete from int_ticket_event; delete from int_ticket")
    rows = [
        (
            *(number, f"t{number}", sequence, BEGIN + timedelta(hours=event.hour), event.state, 3, None, None, None),
            *(TEAMS.get(event.group or "", (None,))[0], event.group, event.person),
        )
        for number, history in enumerate(tickets)
        for sequence, event in enumerate(history, start=1)
    ]
    engine.executemany(f"insert into int_ticket_event values ({', '.join('?' * 12)})", rows)
    engine.executemany(
        "insert into int_ticket values (?, 's', ?, ?, false, null, 'b')",
        [(f"t{number}", BEGIN, history[-1].state) for number, history in enumerate(tickets)],
    )
    found = {
        row[0]: row[1:]
        for row in engine.execute(
            """
            select ticket_key, observation_status, responded_at, resolved_at, team_code, employee_number,
                first_team_code, first_employee_number, handover_count, escalation_count, person_change_count,
                reopening_count, caller_wait_count, is_first_contact_resolved
            from int_ticket_course
            """
        ).fetchall()
    }
    assert len(found) == len(tickets)

    def at(hour: object) -> datetime | None:
        return BEGIN + timedelta(hours=hour) if isinstance(hour, int) else None

    for number, history in enumerate(tickets):
        wanted = course(history)
        assert found[f"t{number}"] == (
            wanted["status"],
            at(wanted["responded"]),
            at(wanted["resolved"]),
            wanted["team"],
            wanted["person"],
            wanted["first_team"],
            wanted["first_person"],
            wanted["handovers"],
            wanted["escalations"],
            wanted["persons"],
            wanted["reopenings"],
            wanted["waits"],
            wanted["first_contact"],
        ), history


@seed(SEED)
@settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(made=st.lists(changes, min_size=1, max_size=12), opened=st.lists(incidents, min_size=10, max_size=60))
def test_incidents_are_held_against_the_last_change_before_them(
    engine: duckdb.DuckDBPyConnection, made: list[Change], opened: list[Incident]
) -> None:
    engine.execute("delete from int_change_request; delete from known_course; delete from int_ticket_complexity")
    engine.executemany(
        "insert into int_change_request values (?, 's', ?, 'normal', 'low', ?, null, ?, ?, ?, 'b')",
        [
            (f"C{n:02}", f"C{n:02}", item.service, BEGIN + timedelta(hours=item.hour), item.code, item.is_implemented)
            for n, item in enumerate(made)
        ],
    )
    engine.executemany(
        "insert into known_course values (?, ?, ?, ?, ?)",
        [
            (f"i{n}", item.status, item.service, BEGIN + timedelta(hours=item.hour), item.priority)
            for n, item in enumerate(opened)
        ],
    )
    engine.executemany(
        "insert into int_ticket_complexity values (?, ?)", [(f"i{n}", item.cause) for n, item in enumerate(opened)]
    )
    failures: Counter[int] = Counter()
    defects: Counter[int] = Counter()
    for item in opened:
        before = [
            (change.hour, n)
            for n, change in enumerate(made)
            if change.is_implemented and change.service == item.service and change.hour <= item.hour
        ]
        if not before or item.status == "canceled" or item.cause != "quality":
            continue
        hour, n = max(before)
        failures[n] += item.hour - hour < 72 and item.priority <= 2
        defects[n] += item.hour - hour < 14 * 24
    found = {
        row[0]: row[1:]
        for row in engine.execute(
            """
            select change_request_key, observation_status, is_failed_by_code, failure_incident_count, defect_count
            from int_change_outcome
            """
        ).fetchall()
    }
    assert len(found) == len(made)
    for n, change in enumerate(made):
        is_over = BEGIN + timedelta(hours=change.hour, days=14) <= AS_OF
        status = "not_implemented" if not change.is_implemented else "observed" if is_over else "window_open"
        assert found[f"C{n:02}"] == (status, change.code == "bad", failures[n], defects[n])
