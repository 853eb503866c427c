"""Drift of a source against its own history: each kind is found where it is planted, and nowhere else.

Batches of monitor samples, tickets, payroll lines and groups are really landed, profiled and judged; the gate then
reads what was found. A history is twelve single working days, or as many lists or months.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expectations.outcomes import describe
from expectations.runner import run_gate
from expectations.suites import raw_drift
from ingestion import drift, extract, freshness, landing
from ingestion.contracts import Page, Record, Window
from ingestion.settings import Settings
from ingestion.sources import SOURCES

SPECS = {spec.check_name: spec for spec in raw_drift.checks()}
Rows = list[dict[str, Any]]
# Wednesdays: one kind of day, so that each is compared with all before it.
DAYS = [date(2025, 9, 3) + timedelta(days=7 * n) for n in range(10)]
AS_OF = datetime.combine(DAYS[-1] + timedelta(days=1), datetime.min.time(), UTC)


@dataclass(frozen=True)
class Desk:
    """A warehouse into which batches are landed as an extract would."""

    path: Path

    @property
    def settings(self) -> Settings:
        return Settings(self.path, self.path.parent / "published", self.path.parent / "spool", as_of=AS_OF)

    def land(self, source: str, entity: str, window: Window, rows: Rows, fields: Iterable[str] | None = None) -> str:
        contract = SOURCES[source].entities[entity]
        names = tuple(fields or contract.columns)
        with landing.Spool(self.settings, contract) as spool:
            spool.add(Page([Record(text=json.dumps(row), values=row) for row in rows], None, names))
            return landing.land(
                self.settings, SOURCES[source], contract, window, spool, run_id="r", started_at=landing.utc_now()
            ).batch_id

    def judge(self) -> list[tuple[Any, ...]]:
        """(measure, column, category, batch, is_gating) of every finding that is not ignored."""
        drift.hold_against_history(self.settings)
        with duckdb.connect(str(self.path), read_only=True) as connection:
            return connection.execute(
                "select measure, column_name, category, batch_id, is_gating from landing.drift_finding "
                "where severity <> 'ignore' order by all"
            ).fetchall()

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.path)) as connection:
            return connection.execute(statement).fetchall()

    def gate(self) -> dict[str, Any]:
        """Failed checks of the gate by name."""
        result = run_gate("raw", self.path, specs=list(SPECS.values()))
        assert not any(outcome.error for outcome in result.outcomes), [describe(o) for o in result.outcomes if o.error]
        return {outcome.check_name: outcome for outcome in result.outcomes if not outcome.success}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path / "warehouse.duckdb")
    landing.prepare(made.settings)
    freshness.write_entities(made.settings, ())
    extract.write_run_context(made.settings, "r")
    return made


def tickets(day: date, count: int, **changed: Callable[[int], str]) -> Rows:
    """So many tickets of a day, about 2 hours to resolve; `changed` gives a column by the ticket's number."""
    chance = random.Random(day.toordinal())
    rows = []
    for number in range(count):
        opened = datetime.combine(day, datetime.min.time()) + timedelta(seconds=chance.randrange(60_000))
        solved = opened + timedelta(seconds=chance.randrange(3_600, 10_800))
        row = dict.fromkeys(SOURCES["servicenow"].entities["incident"].columns, "")
        row |= {
            "sys_id": f"{day}-{number}",
            "number": f"INC{day.toordinal()}{number}",
            "opened_at": str(opened),
            "resolved_at": str(solved),
            "closed_at": str(solved),
            "sys_updated_on": str(solved),
            "state": chance.choices(["2", "6", "7"], [1, 2, 7])[0],
            "priority": chance.choices(["1", "2", "3"], [1, 3, 6])[0],
            "category": chance.choices(["network", "software"], [1, 1])[0],
            "assignment_group": chance.choices(["g1", "g2"], [1, 1])[0],
        }
        rows.append(row | {column: give(number) for column, give in changed.items()})
    return rows


def history(desk: Desk, last: Rows, fields: Iterable[str] | None = None, days: list[date] = DAYS) -> str:
    """Land ordinary days before, and `last` as the last day; the batch of the last."""
    for number, day in enumerate(days[:-1]):
        desk.land("servicenow", "incident", Window.of_days(day, day), tickets(day, 290 + 5 * (number % 4)))
    # a window read in time: as of is the midnight after the last day, and the rest was read in arrears otherwise
    batch = desk.land("servicenow", "incident", Window.of_days(days[-1], days[-1]), last, fields)
    desk.sql("update landing.extract_batch set finished_at = (select started_at from landing.run_context)"
             " - ((select as_of_at from landing.run_context) - window_end_at)")  # fmt: skip
    return batch


# --- the quiet case ---


def test_ordinary_days_have_no_findings(desk: Desk) -> None:
    history(desk, tickets(DAYS[-1], 310))
    assert desk.judge() == []
    assert desk.gate() == {}
    assert desk.sql("select count(distinct batch_id) from landing.batch_profile") == [(len(DAYS),)]


def test_a_profile_is_taken_once_and_says_what_came(desk: Desk) -> None:
    """Four rows: two empty priorities, two states, times to resolve of 1, 2, 3 and 4 hours."""
    day = DAYS[0]
    rows = tickets(day, 4, priority=lambda n: "1" if n < 2 else "", state=lambda n: "6" if n else "7")
    for hours, row in enumerate(rows, start=1):
        row |= {"opened_at": f"{day} 00:00:00", "resolved_at": f"{day} 0{hours}:00:00"}
    batch = desk.land("servicenow", "incident", Window.of_days(day, day), rows)
    assert drift.profile_new_batches(desk.settings) == 1
    assert drift.profile_new_batches(desk.settings) == 0
    profile = "from landing.batch_profile where column_name = "
    assert desk.sql(f"select batch_id, row_count, null_count, least_text, greatest_text {profile}'priority'") == [
        (batch, 4, 2, "1", "1")
    ]
    assert desk.sql(f"select row_count, slice_to_at - slice_from_at {profile}'*'") == [(4, timedelta(days=1))]
    assert desk.sql(f"select null_count, middle_value {profile}'open_to_resolved_seconds'") == [(0, 9000.0)]


def test_too_short_a_history_judges_nothing(desk: Desk) -> None:
    days = DAYS[-4:]
    history(desk, tickets(days[-1], 3), days=days)
    assert not [finding for finding in desk.judge() if finding[0] == "volume"]


# --- each kind ---


KINDS: dict[str, tuple[Callable[[], Rows], tuple[str, str, str | None], str]] = {
    "eleven times the tickets": (lambda: tickets(DAYS[-1], 3_300), ("volume", "*", None), "drift_volume_blocks"),
    "a tenth": (lambda: tickets(DAYS[-1], 20), ("volume", "*", None), "drift_volume_blocks"),
    "none": (list, ("volume", "*", None), "drift_volume_blocks"),
    "some without a priority": (
        lambda: tickets(DAYS[-1], 300, priority=lambda n: "" if n % 3 == 0 else str(n % 3)),
        ("null_share", "priority", None),
        "drift_null_share_warns",
    ),
    "all without a priority": (
        lambda: tickets(DAYS[-1], 300, priority=lambda _: ""),
        ("column_emptied", "priority", None),
        "drift_column_emptied_blocks",
    ),
    "a new group": (
        lambda: tickets(DAYS[-1], 300, assignment_group=lambda n: f"g{n % 3}"),
        ("category_new", "assignment_group", "g0"),
        "drift_category_new_warns",
    ),
    "a vanished group": (
        lambda: tickets(DAYS[-1], 300, assignment_group=lambda _: "g1"),
        ("category_lost", "assignment_group", "g2"),
        "drift_category_lost_blocks",
    ),
    "other shares": (
        lambda: tickets(DAYS[-1], 300, priority=lambda n: "1" if n % 5 else str(2 + n % 2)),
        ("category_share", "priority", "1"),
        "drift_category_share_warns",
    ),
    "three times as long": (
        lambda: tickets(DAYS[-1], 300, opened_at=lambda n: f"{DAYS[-1] - timedelta(days=1)} 0{n % 10}:00:00"),
        ("duration", "open_to_resolved_seconds", "median"),
        "drift_duration_warns",
    ),
}


@pytest.mark.requirement("SLT-3.2")
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_found_and_stands_in_its_check(desk: Desk, kind: str) -> None:
    make, (measure, column, category), check = KINDS[kind]
    batch = history(desk, make())
    assert (measure, column, category, batch, True) in desk.judge()
    failed = desk.gate()
    assert check in failed, list(failed)
    (example, *_) = [e for e in failed[check].examples if e["column_name"] == column]
    assert example["source"] == "servicenow" and example["entity"] == "incident" and example["batch_id"] == batch
    assert example["expected"] and example["found"] and drift.ACCEPT in example["how_to_mend"]
    if measure == "category_new":
        assert example["first_batch_id"] == batch
    text = describe(failed[check])
    assert example["expected"] in text and batch in text


@pytest.mark.requirement("LTI-7.1")
def test_a_lost_column_blocks(desk: Desk) -> None:
    columns = [c for c in SOURCES["servicenow"].entities["incident"].columns if c != "category"]
    rows = [{k: v for k, v in row.items() if k != "category"} for row in tickets(DAYS[-1], 300)]
    batch = history(desk, rows, columns)
    assert ("column_lost", "category", None, batch, True) in desk.judge()
    assert desk.gate()["drift_column_lost_blocks"].is_blocking


@pytest.mark.requirement("LTI-7.1")
def test_a_new_column_warns_once_with_its_first_batch(desk: Desk) -> None:
    columns = (*SOURCES["servicenow"].entities["incident"].columns, "u_mood")
    first = history(desk, tickets(DAYS[-1], 300, u_mood=lambda _: "fine"), columns)
    found = desk.judge()
    assert ("column_new", "u_mood", None, first, True) in found
    following = DAYS[-1] + timedelta(days=7)
    desk.land("servicenow", "incident", Window.of_days(following, following), tickets(following, 300), columns)
    assert [f for f in desk.judge() if f[0] == "column_new"] == [("column_new", "u_mood", None, first, True)]
    outcome = desk.gate()["drift_column_new_warns"]
    assert not outcome.is_blocking and outcome.examples[0]["first_batch_id"] == first


def test_a_batch_that_was_not_profiled_closes_the_gate(desk: Desk) -> None:
    history(desk, tickets(DAYS[-1], 300))
    assert desk.gate()["drift_profiles_are_complete"].is_blocking


@pytest.mark.parametrize("name", [n for n in SPECS if n.endswith(("_blocks", "_warns"))])
def test_each_check_reads_its_own_measure_and_severity(desk: Desk, name: str) -> None:
    measure, severity = name.removeprefix("drift_").rsplit("_", 1)
    desk.sql(
        "insert into landing.drift_finding values ('s', 'e', 'c', "
        f"'{measure}', '{severity.removesuffix('s')}', 'b', 'p', null, null, null, 1, 2, 3, 6, 't', 't', null, 'm', "
        "true)"
    )
    assert list(desk.gate()) == [name]
    desk.sql("update landing.drift_finding set is_gating = false")
    assert desk.gate() == {}


# --- what is not compared ---


def test_a_quiet_sunday_is_compared_with_week_ends(desk: Desk) -> None:
    sunday = DAYS[-1] - timedelta(days=3)
    desk.land("servicenow", "incident", Window.of_days(sunday, sunday), tickets(sunday, 12))
    history(desk, tickets(DAYS[-1], 300))
    assert desk.judge() == []


def test_a_window_read_in_arrears_is_compared_with_its_like(desk: Desk) -> None:
    """Read weeks later, every ticket is closed: that is no drift of the source."""
    history(desk, tickets(DAYS[-1], 300, state=lambda _: "7"))
    assert [f[0] for f in desk.judge()] == ["category_lost", "category_lost", "category_share"]
    desk.sql(
        "update landing.extract_batch set finished_at = finished_at + interval 40 day "
        f"where window_end_at = '{AS_OF:%Y-%m-%d}'"
    )
    assert desk.judge() == []


def test_values_that_never_recur_are_no_categories(desk: Desk) -> None:
    """The month of a payroll line is another one in every file."""
    columns = SOURCES["payroll"].entities["register_line"].columns
    for month in range(1, 11):
        rows = [
            dict.fromkeys(columns, "") | {
                "payroll_line_id": f"{month}-{n}", "pay_period": f"2025-{month:02}", "amount": str(1000 + n % 7),
                "earning_code": "BASE", "currency": "EUR" if n % 2 else "GBP",
            }
            for n in range(150)
        ]  # fmt: skip
        desk.land("payroll", "register_line", Window.of_month(date(2025, month, 1)), rows)
    assert desk.judge() == []


def test_nothing_where_nothing_came_before_is_no_finding(desk: Desk) -> None:
    """Months read in arrears without a record, and then three days without one: as few as ever."""
    first = DAYS[0] - timedelta(days=1000)
    for number in range(10):
        begun = first + timedelta(days=31 * number)
        desk.land("servicenow", "incident", Window.of_days(begun, begun + timedelta(days=30)), [])
    few = Window.of_days(first + timedelta(days=310), first + timedelta(days=312))
    desk.land("servicenow", "incident", few, [])
    assert desk.judge() == []
    many = Window.of_days(first + timedelta(days=313), first + timedelta(days=315))
    batch = desk.land("servicenow", "incident", many, tickets(many.start_at.date(), 40))
    assert ("volume", "*", None, batch) in [finding[:4] for finding in desk.judge()]


def test_a_list_is_compared_with_the_lists_before_it(desk: Desk) -> None:
    columns = SOURCES["servicenow"].entities["sys_user_group"].columns

    def groups(count: int, version: int) -> Rows:
        return [
            dict.fromkeys(columns, "") | {"sys_id": f"g{n}", "name": f"v{version}", "active": "true"}
            for n in range(count)
        ]

    for version in range(7):
        desk.land("servicenow", "sys_user_group", Window("snapshot"), groups(40, version))
    assert desk.judge() == []
    batch = desk.land("servicenow", "sys_user_group", Window("snapshot"), groups(12, 8))
    assert ("volume", "*", None, batch, True) in desk.judge()
    assert list(desk.gate()) == ["drift_volume_warns"]


def test_files_without_stamps_are_compared_with_the_files_before_them(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = SOURCES["servicenow_event_log"]
    plain = replace(log.entities["incident_event"], stamp=None, stamp_formats=())
    monkeypatch.setitem(log.entities, "incident_event", plain)

    def events(count: int) -> Rows:
        return [dict.fromkeys(plain.columns, "") | {"number": f"INC{n}"} for n in range(count)]

    for number in range(4):
        desk.land(log.name, plain.name, Window(f"{number}.csv"), events(100 + number))
    assert desk.judge() == []
    batch = desk.land(log.name, plain.name, Window("5.csv"), events(30))
    assert [f[:4] for f in desk.judge() if f[0] == "volume"] == [("volume", "*", None, batch)]
    assert "drift_profiles_are_complete" not in desk.gate()


# --- governed thresholds ---


def test_a_finding_is_accepted_by_a_row_for_its_column(desk: Desk, tmp_path: Path) -> None:
    history(desk, tickets(DAYS[-1], 300, assignment_group=lambda _: "g1"))
    assert "category_lost" in [f[0] for f in desk.judge()]
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    original = (drift.SEEDS_PATH / "drift_threshold.csv").read_text()
    accepted = "{},servicenow,incident,assignment_group,3,20,,,0.25,{},2025-01-01,{},team g2 was closed\n"
    rows = [accepted.format("category_lost", "warn", ""), accepted.format("category_share", "ignore", "")]
    (seeds / "drift_threshold.csv").write_text(original + "".join(rows))
    drift.judge_drift(desk.settings, seeds)
    assert set(desk.gate()) == {"drift_category_lost_warns"}
    ended = accepted.format("category_lost", "warn", "2025-06-30")
    (seeds / "drift_threshold.csv").write_text(original + ended)
    drift.judge_drift(desk.settings, seeds)
    assert "drift_category_lost_blocks" in desk.gate()


def test_every_measure_has_a_default_that_says_why() -> None:
    assert set(drift.read_defaults()) == set(drift.MEASURES)
    for spec in SPECS.values():
        assert "{" not in spec.description and spec.how_to_mend


# --- the real log ---


@pytest.mark.requirement("SLT-3.2")
def test_the_real_log_shows_what_happened_to_its_contact_types(
    desk: Desk, real_event_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Self service comes up in August 2016; the events fall from some 45,000 a month to hundreds after June."""
    monkeypatch.setenv("SERVICENOW_EXPORT_FILE", str(real_event_log))
    source = SOURCES["servicenow_event_log"]
    extract.extract_due(desk.settings, source, "incident_event", datetime.max.replace(tzinfo=UTC), "r")
    extract.write_run_context(Settings(desk.path, desk.path.parent, desk.path.parent / "spool"), "log")
    found = desk.judge()
    assert {f[4] for f in found} == {True, False}
    first = desk.sql(
        "select slice_from_at::date, severity from landing.drift_finding "
        "where measure = 'category_new' and column_name = 'contact_type' and category = 'Self service'"
    )
    assert first == [(date(2016, 8, 1), "warn")]
    volumes = desk.sql("select slice_from_at::date from landing.drift_finding where measure = 'volume' order by 1")
    assert (date(2016, 6, 1),) in volumes or (date(2016, 7, 1),) in volumes
    assert not [check for check, outcome in desk.gate().items() if outcome.is_blocking]
