"""The derived tables of the company's ServiceNow: its SLA engine by hand, and that nothing looks ahead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ingestion.demo.company import Company, build_company, company_as_of
from ingestion.demo.model import Ticket, TicketEvent
from ingestion.demo.served_servicenow import ServiceNowTables
from ingestion.demo.service_desk import (
    TASK_SLA_COLUMNS,
    Identities,
    ServiceDesk,
)
from ingestion.sources.servicenow import SERVICENOW

NOON = datetime(2025, 3, 5, 12, tzinfo=UTC)  # a Wednesday


@pytest.fixture(scope="module")
def company() -> Company:
    return build_company(ticket_count=600)


@pytest.fixture(scope="module")
def tables(company: Company) -> ServiceNowTables:
    return ServiceNowTables(company)


def slas(company: Company, *events: tuple[int, str, int], contract: str = "") -> list[dict[str, str]]:
    """What the engine attaches to a ticket opened at NOON with events (minutes after, state, priority)."""
    history = [
        TicketEvent(NOON + timedelta(minutes=minutes), state, priority, "t", None, "payments", contract)
        for minutes, state, priority in events
    ]
    ticket = Ticket("s" * 32, "INC1", NOON, "phone", "network", "x", "u2001", history)
    ids = Identities(*[lambda code: f"id-{code}"] * 5)
    desk = ServiceDesk(replace(company, tickets=[ticket]), ids)
    names = {row[0]: row[1] for row in desk.definitions()}
    rows = [dict(zip(TASK_SLA_COLUMNS, row, strict=True)) for row in desk.task_slas()]
    return [row | {"sla": names[row["sla"]]} for row in rows]


def shown(rows: Sequence[dict[str, str]], *columns: str) -> list[tuple[str, ...]]:
    return [tuple(row[column] for column in columns) for row in rows]


def test_the_tables_have_the_columns_of_the_contract(tables: ServiceNowTables) -> None:
    assert set(tables.tables) == set(SERVICENOW.entities)
    for name, entity in SERVICENOW.entities.items():
        served = set(tables.tables[name].columns)
        assert set(entity.columns) <= served <= {*entity.columns, *entity.known_fields}, name
        assert tables.tables[name].rows, name
        keys = [row[tables.tables[name].position["sys_id"]] for row in tables.tables[name].rows]
        assert len(keys) == len(set(keys)), name


def test_pauses_move_the_planned_end_and_are_not_counted(company: Company) -> None:
    """Priority 2, 8 hours: on hold from 1:00 to 3:00, resolved at 9:30: 7.5 hours of 8, 93.75%; planned for 8 + 2."""
    response, resolution = slas(
        company,
        (0, "new", 2),
        (10, "in_progress", 2),
        (60, "on_hold", 2),
        (180, "in_progress", 2),
        (570, "resolved", 2),
    )
    assert shown([response], "sla", "stage", "has_breached", "end_time", "percentage") == [
        ("Priority 2 response (30 minutes)", "completed", "false", "2025-03-05 12:10:00", "33.33")
    ]
    assert shown([resolution], "duration", "pause_duration", "planned_end_time", "original_breach_time") == [
        ("1970-01-01 07:30:00", "1970-01-01 02:00:00", "2025-03-05 22:00:00", "2025-03-05 20:00:00")
    ]
    assert shown([resolution], "percentage", "has_breached", "business_percentage", "schedule") == [
        ("93.75", "false", "", "")
    ]


def test_a_schedule_counts_its_own_hours(company: Company) -> None:
    """New York opens at 08:00, 13:00 UTC before summer time: 90 minutes after noon, 30 of its hour are over."""
    (sla,) = slas(company, (0, "new", 3), (90, "in_progress", 3), contract="acme-gold")
    assert sla["sla"] == "Acme priority 3 response (1 business hour)"
    assert shown([sla], "duration", "business_duration", "business_percentage", "planned_end_time", "has_breached") == [
        ("1970-01-01 01:30:00", "1970-01-01 00:30:00", "50.00", "2025-03-05 14:00:00", "false")
    ]


def test_another_priority_cancels_and_attaches_anew_from_the_opening(company: Company) -> None:
    """Two hours as priority 2, then 1, resolved after 5: of the 4 hours of priority 1 all 5 count, 125%."""
    rows = slas(company, (0, "new", 2), (10, "in_progress", 2), (120, "in_progress", 1), (300, "resolved", 1))
    assert shown(rows, "sla", "stage", "percentage", "has_breached") == [
        ("Priority 1 resolution (4 hours)", "completed", "125.00", "true"),
        ("Priority 2 response (30 minutes)", "completed", "33.33", "false"),
        ("Priority 2 resolution (8 hours)", "cancelled", "25.00", "false"),
    ]
    assert rows[0]["start_time"] == "2025-03-05 12:00:00" and rows[0]["sys_created_on"] == "2025-03-05 14:00:00"


def test_a_reopened_ticket_gets_a_second_sla(company: Company) -> None:
    """Resolved after 1 hour, reopened after 3, resolved after 5: 1 hour and 2 hours of 4."""
    rows = slas(company, (0, "in_progress", 1), (60, "resolved", 1), (180, "in_progress", 1), (300, "resolved", 1))
    resolutions = [row for row in rows if "resolution" in row["sla"]]
    assert shown(resolutions, "stage", "start_time", "percentage") == [
        ("completed", "2025-03-05 12:00:00", "25.00"),
        ("completed", "2025-03-05 15:00:00", "50.00"),
    ]


def test_a_canceled_ticket_cancels_and_one_on_hold_is_paused(company: Company) -> None:
    assert shown(slas(company, (0, "new", 1), (5, "canceled", 1)), "stage") == [("cancelled",), ("cancelled",)]
    paused = slas(company, (0, "in_progress", 2), (60, "on_hold", 2))[-1]
    assert shown([paused], "stage", "active", "pause_time", "end_time", "percentage") == [
        ("paused", "true", "2025-03-05 13:00:00", "", "12.50")
    ]


def test_records_stay_as_they_were_when_the_company_is_seen_earlier(company: Company) -> None:
    """What was finished before an earlier instant reads the same in both views, and nothing is of later."""
    earlier = datetime(2025, 9, 1, tzinfo=UTC)
    then, now = ServiceNowTables(company_as_of(company, earlier)), ServiceNowTables(company)
    limit = earlier.strftime("%Y-%m-%d %H:%M:%S")
    for name in ("problem", "task_sla", "asmt_assessment_instance", "asmt_metric_result", "kb_knowledge"):
        place = then.tables[name].position
        before, after = ({row[place["sys_id"]]: row for row in view.tables[name].rows} for view in (then, now))
        assert set(before) <= set(after), name
        assert all(row[place["sys_updated_on"]] < limit for row in before.values()), name
    ended = [row for row in then.tables["task_sla"].rows if row[TASK_SLA_COLUMNS.index("stage")] == "completed"]
    assert ended and set(ended) <= set(now.tables["task_sla"].rows)


def test_what_is_derived_leads_to_what_is_there(company: Company, tables: ServiceNowTables) -> None:
    def records(name: str) -> list[dict[str, str]]:
        return [dict(zip(tables.tables[name].columns, row, strict=True)) for row in tables.tables[name].rows]

    linked = Counter(row["problem_id"] for row in records("incident") if row["problem_id"])
    counted = {row["sys_id"]: int(row["related_incidents"]) for row in records("problem")}
    assert linked == Counter({key: count for key, count in counted.items() if count})
    surveys = {row["sys_id"]: row for row in records("asmt_assessment_instance")}
    answers = records("asmt_metric_result")
    assert {row["instance"] for row in answers} == {key for key, row in surveys.items() if row["state"] == "complete"}
    assert {row["actual_value"] for row in answers} <= {"1", "2", "3", "4", "5"}
    tickets = {ticket.sys_id for ticket in company.tickets}
    assert {row["task_id"] for row in surveys.values()} <= tickets
    assert {row["name"] for row in records("cmdb_ci") if row["install_status"] == "7"} == {"mail-arc-01", "ord-db-00"}
