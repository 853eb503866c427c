"""Observations against the records they come from, replayed in Python: no SQL of the models, no table of core.

The audit log of each incident is walked entry by entry, as a person reading it would; changes, answers, views and
articles are taken from staging and counted by the rules in words of docs/observations.md.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
STOPPED, CANCELED = {"6", "7"}, "8"


def seed(name: str) -> list[dict[str, str]]:
    with (ROOT / "seeds" / f"{name}.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


TIERS = {row["assignment_group_name"]: int(row["tier"]) for row in seed("services/team")}
TEAM_OF = {row["assignment_group_name"]: row["team_code"] for row in seed("services/team")}
HIGHEST_TIER = max(TIERS.values())


@pytest.fixture(scope="module")
def warehouse(demo_warehouse: Any) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(demo_warehouse.warehouse_path), read_only=True) as connection:
        yield connection


def rows(warehouse: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    relation = warehouse.execute(query)
    names = [column[0] for column in relation.description]
    return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]


def walk(entries: list[dict[str, Any]], group_names: dict[str, str]) -> dict[str, Any]:
    """One incident's life from its audit entries, in the order written."""
    state: str | None = None
    group: str | None = None
    person: str | None = None
    known_group: str | None = None
    known_person: str | None = None
    life: dict[str, Any] = {"handovers": 0, "escalations": 0, "reopenings": 0, "persons": 0}
    life |= {"responded_at": None, "resolved_at": None, "first_group": None}
    at_once: dict[datetime, list[dict[str, Any]]] = defaultdict(list)
    for entry in entries:
        at_once[entry["sys_created_at"]].append(entry)
    for at in sorted(at_once):
        # what one save changes is one event; a field may be set twice within a second
        sequences = defaultdict(list)
        for entry in at_once[at]:
            sequences[entry["field_name"]].append(entry["new_value"])
        for value in sequences["state"]:
            before, state = state, value
            if value in STOPPED and before not in STOPPED:
                life["resolved_at"] = at
            if before in STOPPED and value not in STOPPED and value != CANCELED:
                life["reopenings"] += 1
            if value not in ("1", CANCELED) and life["responded_at"] is None:
                life["responded_at"] = at
        for value in sequences["assignment_group"]:
            group = group_names.get(value)
            if group and known_group and group != known_group:
                life["handovers"] += 1
                life["escalations"] += TIERS[group] > TIERS[known_group]
            known_group = group or known_group
            life["first_group"] = life["first_group"] or group
        for value in sequences["assigned_to"]:
            person = value or None
            if person and known_person and person != known_person:
                life["persons"] += 1
            known_person = person or known_person
    return life | {"state": state, "group": group}


@pytest.fixture(scope="module")
def lives(warehouse: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]]:
    group_names = {row["group_id"]: row["group_name"] for row in rows(warehouse, "from staging.stg_servicenow__groups")}
    numbers = {row["incident_id"]: row for row in rows(warehouse, "from staging.stg_servicenow__incidents")}
    entries = defaultdict(list)
    for entry in rows(
        warehouse,
        """
        select document_id, field_name, new_value, sys_created_at from staging.stg_servicenow__audit_entries
        where table_name = 'incident' order by sys_created_at, audit_entry_id
        """,
    ):
        entries[entry["document_id"]].append(entry)
    assert len(entries) > 1000
    return {
        numbers[sys_id]["number"]: walk(found, group_names) | {"record": numbers[sys_id]}
        for sys_id, found in entries.items()
    }


@pytest.mark.requirement("DESK-1.3")
@pytest.mark.requirement("DESK-3.3")
def test_tickets_are_what_their_audit_log_says(
    warehouse: duckdb.DuckDBPyConnection, lives: dict[str, dict[str, Any]]
) -> None:
    counted = {
        row["observation_key"].rpartition(":")[2]: row
        for row in rows(warehouse, "from core.int_observation_ticket where observation_key like 'ticket:servicenow:%'")
    }
    assert set(counted) == {number for number, life in lives.items() if life["state"] in STOPPED}
    assert len(counted) > 1000
    first_contacts = 0
    for number, row in counted.items():
        life = lives[number]
        opened_at = life["record"]["opened_at"]
        is_first_contact = not (life["handovers"] or life["persons"] or life["reopenings"])
        first_contacts += is_first_contact
        assert (
            row["observed_at"],
            row["team_code"],
            row["resolution_seconds"],
            row["first_response_seconds"],
            row["handover_count"],
            row["escalated_count"],
            row["reopened_count"],
            row["first_contact_resolved_count"],
        ) == (
            life["resolved_at"],
            TEAM_OF.get(life["group"]),
            (life["resolved_at"] - opened_at).total_seconds(),
            (max(life["responded_at"], opened_at) - opened_at).total_seconds(),
            life["handovers"],
            int(life["escalations"] > 0),
            int(life["reopenings"] > 0),
            int(is_first_contact),
        ), number
    assert 0 < first_contacts < len(counted)


@pytest.mark.requirement("DESK-1.3")
def test_intake_stays_with_the_first_group(
    warehouse: duckdb.DuckDBPyConnection, lives: dict[str, dict[str, Any]]
) -> None:
    counted = {
        row["observation_key"].rpartition(":")[2]: row
        for row in rows(
            warehouse,
            "from core.int_observation_ticket_intake where observation_key like 'ticket_intake:servicenow:%'",
        )
    }
    moved = 0
    for number, row in counted.items():
        life = lives[number]
        first = life["first_group"]
        is_escalatable = TIERS[first] < HIGHEST_TIER
        moved += first != life["group"]
        assert (row["team_code"], row["escalatable_count"], row["escalated_count"], row["contained_count"]) == (
            TEAM_OF[first],
            int(is_escalatable),
            int(is_escalatable and life["escalations"] > 0),
            int(is_escalatable and not life["escalations"]),
        ), number
    assert moved


def test_the_desk_s_own_mark_never_contradicts_the_history(warehouse: duckdb.DuckDBPyConnection) -> None:
    """The desk ticks first contact where one group solved it: it may miss a reopening, never claim a handover."""
    marked = rows(
        warehouse,
        """
        select value.field_value, counted.first_contact_resolved_count, counted.handover_count, count(*) as ticket_count
        from core.int_observation_ticket as counted
        join staging.stg_servicenow__incidents as incident
            on counted.observation_key = 'ticket:servicenow:' || incident.number
        join staging.stg_servicenow__incident_field_values as value
            on value.incident_id = incident.incident_id and value.field_name = 'u_first_contact'
        group by all
        """,
    )
    assert {row["field_value"] for row in marked} >= {"true", "false"}
    for row in marked:
        assert not (row["field_value"] == "false" and row["first_contact_resolved_count"]), row
        assert not (row["field_value"] == "true" and row["handover_count"]), row


@pytest.mark.requirement("OPS-1.3")
@pytest.mark.requirement("LTI-5.3")
def test_changes_fail_and_have_defects_by_the_rules(
    warehouse: duckdb.DuckDBPyConnection, lives: dict[str, dict[str, Any]]
) -> None:
    (as_of,) = warehouse.execute("select as_of_at from core.int_run_context").fetchone() or (None,)
    services = {
        row["service_id"]: row["service_code"] for row in rows(warehouse, "from staging.stg_servicenow__services")
    }
    causes = {
        row["incident_id"]: row["field_value"]
        for row in rows(
            warehouse, "from staging.stg_servicenow__incident_field_values where field_name = 'u_root_cause'"
        )
    }
    released: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    records = {row["number"]: row for row in rows(warehouse, "from staging.stg_servicenow__change_requests")}
    for number, record in records.items():
        is_made = record["state"] in ("0", "3") and record["planned_start_at"] < record["planned_end_at"] <= as_of
        record["is_made"] = is_made
        if is_made:
            released[services[record["business_service_id"]]].append((record["planned_end_at"], number))
    failures: Counter[str] = Counter()
    defects: Counter[str] = Counter()
    for life in lives.values():
        incident = life["record"]
        # 'software' is mapped to engineering_quality (seeds/governance/field_mapping.csv, FM-004)
        if life["state"] == CANCELED or causes.get(incident["incident_id"]) != "software":
            continue
        service = services.get(incident["business_service_id"])
        before = [end for end in released.get(service or "", []) if end[0] <= incident["opened_at"]]
        if not before:
            continue
        end, number = max(before)
        age = incident["opened_at"] - end
        defects[number] += age < timedelta(days=14)
        failures[number] += age < timedelta(days=3) and incident["priority"] <= 2
    counted = {
        row["observation_key"].rpartition(":")[2]: row for row in rows(warehouse, "from core.int_observation_change")
    }
    assert set(counted) == {
        number
        for number, record in records.items()
        if record["is_made"] and record["planned_end_at"] + timedelta(days=14) <= as_of
    }
    for number, row in counted.items():
        is_failed = records[number]["close_code"] in ("unsuccessful", "successful_issues") or failures[number] > 0
        assert (row["failed_count"], row["defect_count"]) == (int(is_failed), defects[number]), number
    assert any(row["failed_count"] for row in counted.values()) and any(row["defect_count"] for row in counted.values())


@pytest.mark.requirement("LTI-1.4")
def test_answers_are_those_of_customers_with_their_outside_causes(warehouse: duckdb.DuckDBPyConnection) -> None:
    tickets = {
        row["number"]: row
        for row in rows(
            warehouse,
            """
            select incident.number, incident.opened_at, incident.resolved_at, service.service_code
            from staging.stg_servicenow__incidents as incident
            left join staging.stg_servicenow__services as service on service.service_id = incident.business_service_id
            """,
        )
    }
    outside = rows(
        warehouse,
        """
        select scope.exclusion_scope_code as service_code, scope.starts_at, scope.ends_at
        from core.int_exclusion_scope as scope
        join core.int_exclusion_request as request using (exclusion_id, audience)
        where audience = 'internal' and request.is_effective and request.controllability = 'outside_control'
        """,
    )
    answers = rows(
        warehouse,
        """
        select reference as number, score_value as score from staging.stg_survey__responses
        where survey_code = 'csat' and response_status = 'valid'
        """,
    )
    asked = {answer["number"] for answer in answers}
    answers += [
        answer
        for answer in rows(
            warehouse,
            """
            select incident.number, answer.score_points as score from staging.stg_servicenow__survey_answers as answer
            join staging.stg_servicenow__surveys as survey using (survey_id)
            join staging.stg_servicenow__incidents as incident on incident.incident_id = survey.task_id
            where survey.state = 'complete'
            """,
        )
        if answer["number"] not in asked
    ]
    expected = [0, Decimal(0), 0, 0, Decimal(0)]
    for answer in answers:
        ticket = tickets[answer["number"]]
        is_outside = any(
            window["service_code"] == ticket["service_code"]
            and window["starts_at"] < ticket["resolved_at"]
            and ticket["opened_at"] < window["ends_at"]
            for window in outside
        )
        points = (Decimal(answer["score"]) - 1) * 2500
        expected[0] += 1
        expected[1] += points
        expected[2] += answer["score"] >= 4
        expected[3] += not is_outside
        expected[4] += 0 if is_outside else points
    got = warehouse.execute(
        """
        select sum(response_count), sum(score_basis_points), sum(satisfied_count), sum(adjusted_response_count),
            sum(adjusted_score_basis_points)
        from core.int_observation_survey
        """
    ).fetchone()
    assert got is not None and list(map(int, got)) == list(map(int, expected))
    assert expected[0] > expected[3] > 0, "no answer has an outside cause: nothing is proved"


def test_no_answer_leads_to_who_gave_it(warehouse: duckdb.DuckDBPyConnection) -> None:
    pseudonyms = {row["respondent_pseudonym"] for row in rows(warehouse, "from staging.stg_survey__responses")} | {
        row["user_id"] for row in rows(warehouse, "from staging.stg_servicenow__surveys")
    }
    numbers = {row["reference"] for row in rows(warehouse, "from staging.stg_survey__responses")}
    teams = {row["team_code"] for row in seed("services/team")}
    for row in rows(warehouse, "from core.int_observation_survey"):
        shown = {value for value in row.values() if isinstance(value, str)}
        assert not shown & pseudonyms and not (shown & numbers) - teams


@pytest.mark.requirement("SLT-1.1")
def test_orders_are_the_request_types_that_deliver_something(warehouse: duckdb.DuckDBPyConnection) -> None:
    ordered = {row["request_type"] for row in seed("observations/order_type") if row["is_order"] == "true"}
    issues = {row["issue_key"]: row for row in rows(warehouse, "from staging.stg_jira__issues")}
    counted = {
        row["observation_key"].rpartition(":")[2]: row
        for row in rows(warehouse, "from core.int_observation_ticket where observation_key like 'ticket:jira:%'")
    }
    assert {key for key, row in counted.items() if row["order_count"]} == {
        key for key in counted if issues[key]["request_type"] in ordered
    }
    cycles = 0
    for key, row in counted.items():
        resolved = issues[key]["resolved_at"]
        if row["order_count"] and resolved is not None:
            taken = resolved.replace(microsecond=0) - issues[key]["created_at"].replace(microsecond=0)
            assert row["order_cycle_seconds"] == taken.total_seconds(), key
            cycles += 1
        assert row["business_unit_code"] == "corporate"
    assert cycles > 100
