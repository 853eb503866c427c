"""Jira's source against the served site: whole changelogs, windows in any zone, paging that contradicts itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion import extract, landing
from ingestion.contracts import InconsistentExtractError, SourceError, Window
from ingestion.demo import served_jira
from ingestion.demo.company import build_company
from ingestion.demo.faults import FaultPlan, FaultRule
from ingestion.demo.jira_desk import RESPONSE_FIELD
from ingestion.demo.model import Company
from ingestion.demo.served_jira import EMBEDDED_LIMIT, JiraRecords
from ingestion.demo.server import DemoServer
from ingestion.json_records import member_text
from ingestion.settings import Settings
from ingestion.sources import jira
from ingestion.sources.jira import JIRA, flatten_issue, jql

AS_OF = datetime(2026, 1, 5, tzinfo=UTC)
# Spring forward in Dublin lies inside.
MARCH = Window.of_days(date(2025, 3, 10), date(2025, 4, 9))


@pytest.fixture(scope="module")
def company() -> Company:
    return build_company(ticket_count=400)


@pytest.fixture(scope="module")
def records(company: Company) -> JiraRecords:
    return JiraRecords(company, "UTC")


@pytest.fixture
def served(company: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoServer]:
    with DemoServer(company, with_drops=False) as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield server


def read(entity: str, window: Window = MARCH) -> list[dict[str, Any]]:
    """Values of every record of a window; none may be a reject."""
    rows = [
        record for page in JIRA.pages(JIRA.entities[entity], window, lambda message: None) for record in page.records
    ]
    assert not [row.reason for row in rows if row.reason]
    return [dict(row.values or {}) for row in rows]


def inside(records: JiraRecords, window: Window) -> set[str]:
    return {
        str(issue.issue_id) for issue in records.issues if window.start_at <= issue.updated_at < window.end_at
    }  # fmt: skip


@pytest.mark.requirement("DESK-3.1")
@pytest.mark.requirement("LTI-7.1")
def test_everything_the_site_holds_is_landed_once(
    served: DemoServer, records: JiraRecords, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From nothing to all 18 windows without a hand on it; again, and nothing is added."""
    monkeypatch.setenv("WAREHOUSE_PATH", str(tmp_path / "warehouse.duckdb"))
    monkeypatch.setenv("SPOOL_PATH", str(tmp_path / "spool"))
    settings = Settings.from_env()
    landing.prepare(settings)
    for entity in JIRA.entities.values():
        results = extract.extract_due(settings, JIRA, entity, AS_OF, "first")
        assert results and all(
            not r.rejected_count and not r.unknown_columns and not r.missing_columns for r in results
        )
        again = extract.extract_due(settings, JIRA, entity, AS_OF, "second")
        assert again and not any(result.is_new for result in again)
    issues = records.desk.issues
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:

        def one(query: str) -> Any:
            return connection.execute(query).fetchone()[0]

        assert one("select count(*) from raw_jira.issue") == len(issues)
        assert one("select count(distinct id) from raw_jira.issue") == len(issues)
        entries = {(str(issue.issue_id), str(entry.history_id)) for issue in issues for entry in issue.histories}
        landed = connection.execute("select issue_id, id from raw_jira.issue_changelog").fetchall()
        assert len(landed) == len(entries) and set(landed) == entries
        assert one("select count(*) from raw_jira.queue where issueCount is not null") == 8
        assert one("select count(*) from raw_jira.account where emailAddress is null") > 0
        assert one("select count(*) from raw_jira.project") == 3
        whole = json.loads(one("select _record from raw_jira.issue where time_to_resolution is not null limit 1"))
    assert RESPONSE_FIELD in whole["fields"] and "description" not in whole["fields"]


def test_a_changelog_that_is_cut_is_read_whole(served: DemoServer, records: JiraRecords) -> None:
    long_ones = [issue for issue in records.desk.issues if len(issue.histories) > EMBEDDED_LIMIT]
    issue = long_ones[0]
    day = Window.of_days(issue.updated_at.date(), issue.updated_at.date())
    rows = [row for row in read("issue_changelog", day) if row["issue_id"] == str(issue.issue_id)]
    assert {row["id"] for row in rows} == {str(entry.history_id) for entry in issue.histories}
    assert any(url.startswith(f"/rest/api/3/issue/{issue.key}/changelog") for url in served.requests)
    short = next(other for other in records.desk.issues if 0 < len(other.histories) < EMBEDDED_LIMIT)
    assert not any(url.startswith(f"/rest/api/3/issue/{short.key}/changelog") for url in served.requests)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "Etc/GMT+12"])
def test_the_zone_of_the_account_changes_nothing(
    company: Company, records: JiraRecords, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The site reads JQL and writes stamps in that zone; the issues of a window are those of the UTC days."""
    monkeypatch.setattr(served_jira, "USER_ZONE", zone)
    with DemoServer(company, with_drops=False) as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment().items():
            patch.setenv(name, value)
        for window in (MARCH, Window.of_days(date(2025, 3, 30), date(2025, 3, 30))):
            rows = read("issue", window)
            assert {row["id"] for row in rows} == inside(records, window)
            assert len(rows) == len({row["id"] for row in rows})
        stamps = {str(issue.issue_id): issue.updated_at for issue in records.issues}
        assert all(datetime.fromisoformat(row["updated"]) == stamps[row["id"]] for row in read("issue"))


def test_windows_side_by_side_share_no_issue(served: DemoServer, records: JiraRecords) -> None:
    days = [date(2025, 3, 27) + timedelta(days=number) for number in range(6)]
    found = [{row["id"] for row in read("issue", Window.of_days(day, day))} for day in days]
    assert set().union(*found) == inside(records, Window.of_days(days[0], days[-1]))
    assert sum(map(len, found)) == len(set().union(*found))


def test_the_query_is_wide_enough_for_any_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIRA_PROJECT_KEYS", "HRS, WPS")
    assert jql(Window.of_days(date(2025, 3, 30), date(2025, 3, 30))) == (
        'project in (HRS, WPS) AND updated >= "2025-03-29 12:00" AND updated < "2025-03-31 14:00" '
        "ORDER BY updated ASC, key ASC"
    )
    monkeypatch.setenv("JIRA_PROJECT_KEYS", 'HRS") OR project = (X')
    with pytest.raises(SourceError, match="no project key"):
        jql(MARCH)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (FaultRule("search/jql", "duplicate_page", nth=(2,)), "came twice"),
        (FaultRule("search/jql", "shuffle", nth=(1,)), "not in the order"),
        (FaultRule("search/jql", "empty_page", nth=(1,)), "in a circle"),
    ],
)
def test_pages_that_contradict_each_other_are_refused(company: Company, rule: FaultRule, message: str) -> None:
    with (
        DemoServer(company, with_drops=False, fault_plan=FaultPlan([rule])) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in server.environment().items():
            patch.setenv(name, value)
        year = Window.of_days(date(2025, 1, 1), date(2025, 12, 31))
        with pytest.raises(InconsistentExtractError, match=message):
            read("issue", year)
        # A clean read afterwards is whole.
        assert len(read("issue", year)) > 200


def test_a_changelog_whose_total_moves_is_refused(company: Company, records: JiraRecords) -> None:
    issue = next(issue for issue in records.desk.issues if len(issue.histories) > EMBEDDED_LIMIT)
    day = Window.of_days(issue.updated_at.date(), issue.updated_at.date())
    plan = FaultPlan([FaultRule(f"issue/{issue.key}/changelog", "change_total")])
    with DemoServer(company, with_drops=False, fault_plan=plan) as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment().items():
            patch.setenv(name, value)
        with pytest.raises(InconsistentExtractError, match="promises another number"):
            read("issue_changelog", day)


def test_a_wrong_token_is_named_by_its_variable_only(served: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIRA_API_TOKEN", "not-the-token")
    with pytest.raises(SourceError) as caught:
        read("project")
    assert "JIRA_API_TOKEN" in str(caught.value) and "not-the-token" not in str(caught.value)


def test_a_changelog_of_another_shape_is_read_from_the_issue(
    served: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read("issue_changelog")
    monkeypatch.setattr(jira, "member_text", lambda text, name: "null")
    assert sorted(map(str, read("issue_changelog"))) == sorted(map(str, whole))


def test_two_fields_of_one_name_and_kind_are_refused(company: Company) -> None:
    which = {"where": "id", "equals": RESPONSE_FIELD}
    plan = FaultPlan([FaultRule("api/3/field", "set_value", column="name", value="Time to resolution", **which)])
    with DemoServer(company, with_drops=False, fault_plan=plan) as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment().items():
            patch.setenv(name, value)
        with pytest.raises(SourceError, match="2 custom fields are called 'Time to resolution'"):
            read("issue")


def test_a_field_nobody_knows_is_drift_and_a_custom_one_is_not() -> None:
    issue = {
        "id": "1",
        "key": "HRS-1",
        "fields": {"summary": "s", "brandNew": 1, "customfield_1": "x", "customfield_2": {"value": "HR"}},
    }
    flat = flatten_issue(issue, {"assignment_group": "customfield_2"})
    assert flat["brandNew"] == 1 and flat["assignment_group"] == "HR" and "customfield_1" not in flat
    known = {*JIRA.entities["issue"].columns, *JIRA.entities["issue"].known_fields}
    assert set(flat) - known == {"brandNew"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1, "b" : {"c": "}\\"{"} , "d": []}', '{"c": "}\\"{"}'),
        ('{"b":[1,2]}', "[1,2]"),
        ('{"a":{"b":1}}', None),
        ("{}", None),
    ],
)
def test_the_text_of_a_member_is_kept_to_the_letter(text: str, expected: str | None) -> None:
    assert member_text(text, "b") == expected
