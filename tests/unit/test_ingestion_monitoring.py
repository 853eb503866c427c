"""Reading Datadog's wider endpoints and legacy logs: what each does with the oddities its source has.

Datadog is the demonstration server's; logs are files written here.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion import extract, landing
from ingestion.contracts import InconsistentExtractError, Page, SourceError, Window
from ingestion.demo.company import build_company
from ingestion.demo.faults import FaultPlan, FaultRule
from ingestion.demo.served_datadog import ServedDatadog
from ingestion.demo.server import DemoServer
from ingestion.settings import Settings
from ingestion.source_clock import SourceClock
from ingestion.sources import SOURCES

DATADOG, LOGS = SOURCES["datadog"], SOURCES["legacy_log"]
OCTOBER = Window.of_month(date(2025, 10, 1))
RESULT_DAYS = Window.of_days(date(2025, 12, 1), date(2025, 12, 7))


@pytest.fixture(scope="module")
def plan() -> FaultPlan:
    return FaultPlan()


@pytest.fixture(scope="module")
def server(plan: FaultPlan) -> Iterator[DemoServer]:
    with DemoServer(build_company(ticket_count=1_000), fault_plan=plan, with_drops=False) as running:
        yield running


@pytest.fixture
def datadog(server: DemoServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedDatadog]:
    """The served system, to make records go; whatever a test took is put back."""
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    (system,) = [system for system in server.systems if isinstance(system, ServedDatadog)]
    yield system
    system.gone.clear()
    system.shut.clear()


def read(entity: str, window: Window, told: list[str] | None = None) -> list[dict[str, Any]]:
    pages = DATADOG.pages(DATADOG.entities[entity], window, (told if told is not None else []).append)
    return [dict(record.values) for page in pages for record in page.records]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(tmp_path / "w.duckdb", tmp_path / "published", tmp_path / "spool")
    landing.prepare(settings)
    return settings


# --- objectives ---


def test_a_history_names_its_objective_and_keeps_the_text_received(datadog: ServedDatadog) -> None:
    (page, *_) = DATADOG.pages(DATADOG.entities["slo_history"], OCTOBER, print)
    (record,) = page.records
    whole = json.loads(record.text)
    assert whole["slo_id"] == record.values["slo_id"] and set(whole) == {"slo_id", "data"}
    assert whole["data"]["overall"]["sli_value"] == record.values["sli_value"]
    assert (record.values["from_ts"], record.values["to_ts"]) == ("1759276800", "1761955200")


def test_a_value_that_is_null_comes_with_its_errors(datadog: ServedDatadog) -> None:
    rows = read("slo_history", OCTOBER)
    (failed,) = [row for row in rows if row["sli_value"] is None]
    assert failed["errors"][0]["error_type"] == "timeout" and failed["outcome"] == "read"
    assert all(row["errors"] is None for row in rows if row["sli_value"] is not None)


def test_an_objective_deleted_under_way_is_a_record_that_says_so(datadog: ServedDatadog) -> None:
    gone = read("slo", Window("snapshot"))[3]["id"]
    datadog.gone.add(gone)
    told: list[str] = []
    rows = read("slo_history", OCTOBER, told)
    assert len(rows) == 12 and told == [
        f"SLO {gone} was deleted while its history was read; recorded as deleted_under_way"
    ]
    assert [row["slo_id"] for row in rows if row["outcome"] == "deleted_under_way"] == [gone]


def test_what_answers_404_and_stays_listed_was_not_deleted(datadog: ServedDatadog) -> None:
    datadog.shut.add(read("slo", Window("snapshot"))[3]["id"])
    with pytest.raises(SourceError, match="answers 404 though it is listed"):
        read("slo_history", OCTOBER)


def test_a_list_that_is_not_there_is_an_error_and_no_deletion(datadog: ServedDatadog, plan: FaultPlan) -> None:
    plan.__init__([FaultRule(r"^/api/v1/slo\?", "status", status=404)])
    try:
        with pytest.raises(SourceError, match="answered 404"):
            read("slo_history", OCTOBER)
    finally:
        plan.__init__()


def test_months_of_history_are_those_that_are_over(datadog: ServedDatadog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AS_OF", "2026-01-05T00:00:00Z")
    history = DATADOG.entities["slo_history"]
    assert DATADOG.partition_keys(history) == ["2025-07", "2025-08", "2025-09", "2025-10", "2025-11", "2025-12"]
    assert DATADOG.partition_keys(DATADOG.entities["slo"]) == []


# --- incidents, results, views ---


def test_incidents_end_where_no_next_offset_is_given(
    datadog: ServedDatadog, server: DemoServer, monkeypatch: Any
) -> None:
    monkeypatch.setattr("ingestion.sources.datadog_paging.PAGE_SIZE", 7)
    before = len(server.requests)
    rows = read("incident", Window("snapshot"))
    expected = datadog._more.incidents
    assert [row["id"] for row in rows] == [row["id"] for row in expected]
    assert len(server.requests) - before == -(-len(expected) // 7)


@pytest.mark.parametrize("action", ["short_page", "empty_page"])
def test_a_page_of_incidents_that_was_cut_short_is_noticed(
    datadog: ServedDatadog, plan: FaultPlan, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    monkeypatch.setattr("ingestion.sources.datadog_paging.PAGE_SIZE", 7)
    plan.__init__([FaultRule("incidents", action, nth=(2,))])
    try:
        with pytest.raises(InconsistentExtractError, match="came at offset 7"):
            read("incident", Window("snapshot"))
    finally:
        plan.__init__()


@pytest.mark.requirement("SVC-3.1")
def test_results_are_read_back_to_the_first_though_only_so_many_come_at_once(
    datadog: ServedDatadog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.demo.served_datadog.MAX_RESULTS", 23)
    expected = {row["result_id"] for results in datadog._more.results.values() for row in results}
    rows = read("synthetic_result", RESULT_DAYS)
    assert len(rows) == len(expected) == 1680 and {row["result_id"] for row in rows} == expected
    day = read("synthetic_result", Window.of_days(date(2025, 12, 3), date(2025, 12, 3)))
    assert len(day) == 144 + 2 * 48 and {row["checked_at"][:10] for row in day} == {"2025-12-03"}


def test_a_test_deleted_under_way_is_told_and_the_others_are_read(datadog: ServedDatadog) -> None:
    datadog.gone.add("pay-api-chk")
    told: list[str] = []
    rows = read("synthetic_result", RESULT_DAYS, told)
    assert {row["test_public_id"] for row in rows} == {"tel-sip-opt"} and len(told) == 1


@pytest.mark.requirement("SVC-3.1")
def test_views_by_cursor_name_no_user(datadog: ServedDatadog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.sources.datadog_paging.EVENT_PAGE_SIZE", 100)
    rows = read("rum_event", RESULT_DAYS)
    assert len(rows) == len({row["id"] for row in rows}) == 7 * 192 - 3 * 176
    assert not any(name.startswith(("usr", "session")) for row in rows for name in row)


def test_the_same_content_lands_once(datadog: ServedDatadog, settings: Settings) -> None:
    for entity, window in (
        ("slo_history", OCTOBER),
        ("synthetic_result", RESULT_DAYS),
        ("slo_correction", Window("snapshot")),
    ):
        first, again = (extract.extract(settings, "datadog", entity, window, "r") for _ in range(2))
        assert first.is_new and not again.is_new and not first.rejected_count, entity
        assert not first.unknown_columns and not first.missing_columns, entity


# --- the source's clock ---


@pytest.mark.requirement("SVC-3.4")
def test_many_dates_bound_the_offset_better_than_one() -> None:
    clock = SourceClock()
    # their clock is 90.3 s ahead; the header is cut to the second
    for sent_at in (1000.0, 1000.4, 1000.9, 1001.6):
        stamped = datetime.fromtimestamp(int(sent_at + 0.05 + 90.3), UTC)
        clock.note(format_datetime(stamped, usegmt=True), sent_at, sent_at + 0.1)
    assert clock.reading_count == 4
    assert clock.offset_low_seconds <= 90.3 <= clock.offset_high_seconds
    assert clock.offset_high_seconds - clock.offset_low_seconds < 0.6
    clock.note("yesterday", 1.0, 2.0)
    clock.note(None, 1.0, 2.0)
    assert clock.reading_count == 4
    clock.note(format_datetime(datetime.fromtimestamp(1002, UTC), usegmt=True), 1002.0, 1002.1)
    assert clock.offset_high_seconds <= 1.0, "a clock that was set counts as it is now"


@pytest.mark.requirement("SVC-3.4")
def test_a_source_whose_clock_is_ahead_is_kept_with_its_offset(
    datadog: ServedDatadog, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "http.server.BaseHTTPRequestHandler.date_time_string",
        lambda self, timestamp=None: format_datetime(datetime.fromtimestamp(time.time() + 90, UTC), usegmt=True),
    )
    extract.extract(settings, "datadog", "slo", Window("snapshot"), "r1")
    extract.extract(settings, "datadog", "slo", Window("snapshot"), "r2")
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        rows = connection.execute(
            "select run_id, reading_count, offset_low_seconds, offset_high_seconds from landing.source_clock"
        ).fetchall()
    assert [row[:2] for row in rows] == [("r1", 1), ("r2", 1)], "unchanged content tells of the clock too"
    assert all(88 < low <= 90 <= high < 92 for _, _, low, high in rows), rows


# --- legacy logs ---

PATTERNS = """log_name,pattern_number,line_kind,pattern,stamp_format,time_zone
web,1,access,"\\S+ \\[(?P<stamp>[^\\]]+)\\] (?P<path>\\S+) (?P<status>\\d+) (?P<response_us>\\d+)",%d/%b/%Y:%H:%M:%S %z,
app,1,application,(?P<stamp>\\S+ \\S+) (?P<level>[A-Z]+) (?P<message>.*),%Y-%m-%d %H:%M:%S,Europe/Dublin
"""
LINES = [b"h [02/Dec/2025:10:00:%02d +0100] /a 200 %d\n" % (second, 1500 * second) for second in range(3)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    (tmp_path / "patterns.csv").write_text(PATTERNS)
    monkeypatch.setenv("LEGACY_LOG_DROP_PATH", str(folder))
    monkeypatch.setenv("LEGACY_LOG_PATTERN_FILE", str(tmp_path / "patterns.csv"))
    return folder


def pages_of(key: str) -> list[Page]:
    return list(LOGS.pages(LOGS.entities["log_line"], Window(key), print))


def lines_of(key: str) -> list[Any]:
    return [record for page in pages_of(key) for record in page.records]


def keys() -> list[str]:
    return LOGS.partition_keys(LOGS.entities["log_line"])


@pytest.mark.requirement("SVC-3.3")
def test_a_line_becomes_a_record_by_its_pattern(folder: Path) -> None:
    (folder / "web.log").write_bytes(b"# opened\n" + b"".join(LINES))
    (key,) = keys()
    first = lines_of(key)[0].values
    names = ("log_name", "line_number", "logged_at", "path", "status", "response_ms")
    assert [first[name] for name in names] == ["web", "2", "2025-12-02T10:00:00+01:00", "/a", "200", "0"]
    assert first["line"] == LINES[0].decode().strip()


@pytest.mark.requirement("SVC-3.3")
def test_rotation_and_packing_make_no_line_new(folder: Path, settings: Settings) -> None:
    def land() -> list[bool]:
        return [extract.extract(settings, LOGS, "log_line", Window(key), "r").is_new for key in keys()]

    (folder / "web.log").write_bytes(b"".join(LINES[:2]))
    assert land() == [True]
    (folder / "web.log").write_bytes(b"".join(LINES))
    assert land() == [True], "a log that grew"
    (folder / "web.log").rename(folder / "web.log.1")
    assert land() == [False], "renamed"
    (folder / "web.log.2.gz").write_bytes(gzip.compress((folder / "web.log.1").read_bytes()))
    (folder / "web.log.1").unlink()
    (folder / "web.log").write_bytes(b"h [03/Dec/2025:10:00:00 +0100] /a 200 1\n")
    assert sorted(land()) == [False, True], "packed, and a new one begun"
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        assert connection.execute(
            "select count(*) from raw_legacy_log.log_line where _batch_id in (select current_batch_id from "
            "landing.extract_state)"
        ).fetchone() == (4,)


def test_the_longer_of_two_copies_is_read_and_two_histories_are_refused(folder: Path) -> None:
    (folder / "web.log.1").write_bytes(b"".join(LINES[:2]))
    (folder / "web-2025-12-02.log.gz").write_bytes(gzip.compress(b"".join(LINES)))
    (key,) = keys()
    assert len(lines_of(key)) == 3
    (folder / "web.log.1").write_bytes(LINES[0] + LINES[2])
    with pytest.raises(SourceError, match="begin alike and go on differently"):
        keys()


@pytest.mark.requirement("SVC-3.3")
def test_what_cannot_be_read_is_rejected_with_its_bytes_and_the_reason(folder: Path) -> None:
    strange = [
        b"garbage\n",
        b"h [02/Dec/2025:10:00:09 +0100] /\xff 200 1\n",
        b"h [32/Dec/2025:10:00:09 +0100] /a 200 1\n",
    ]
    (folder / "web.log").write_bytes(LINES[0] + b"".join(strange) + LINES[1])
    records = lines_of(keys()[0])
    assert [record.raw for record in records if record.reason] == strange
    assert [record.reason.partition(":")[0] for record in records if record.reason] == [
        "unknown_line", "undecodable_bytes", "unreadable_stamp",
    ]  # fmt: skip
    assert [record.values["line_number"] for record in records if not record.reason] == ["1", "5"]


def test_a_stack_trace_belongs_to_its_line_and_local_time_has_its_offset(folder: Path) -> None:
    (folder / "app.log").write_bytes(
        b"2025-07-01 10:00:00 ERROR broke\n\tat a.b(C.java:1)\nCaused by: x\n2025-12-01 10:00:00 INFO fine\n"
    )
    first, second = [record.values for record in lines_of(keys()[0])]
    assert first["line"].count("\n") == 2 and first["message"] == "broke"
    assert (first["logged_at"], second["logged_at"]) == ("2025-07-01T10:00:00+01:00", "2025-12-01T10:00:00+00:00")


def test_an_unfinished_last_line_waits_while_the_log_is_written_to(folder: Path) -> None:
    (folder / "web.log").write_bytes(LINES[0] + LINES[1][:-5])
    assert len(lines_of(keys()[0])) == 1
    (folder / "web.log").rename(folder / "web.log.1")
    assert len(lines_of(keys()[0])) == 2, "a rotated log gets no more"


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("web,1,access,(?P<stamp>.,%Y,UTC", "row 2"),
        ("web,1,access,(?P<status>.*),%Y,UTC", "groups are"),
        ("web,1,access,(?P<stamp>.*)(?P<user>.*),%Y,UTC", "groups are"),
        ("web,1,access,(?P<stamp>.*),%Y,", "neither the stamp nor time_zone"),
        ("web,1,access,(?P<stamp>.*),%Y,Mars/Olympus", "row 2"),
        ("other,1,access,(?P<stamp>.*),%Y,UTC", "no pattern says"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_named(folder: Path, row: str, complaint: str) -> None:
    (folder / "web.log").write_bytes(LINES[0])
    (folder.parent / "patterns.csv").write_text(f"{PATTERNS.splitlines()[0]}\n{row}\n")
    with pytest.raises(SourceError, match=complaint):
        pages_of(keys()[0])


def test_a_dated_log_is_written_to_until_a_later_one_is_there(folder: Path) -> None:
    (folder / "web-2025-12-01.log").write_bytes(LINES[0] + LINES[1][:-1])
    (before,) = keys()
    assert len(lines_of(before)) == 1, "more of the day may come"
    (folder / "web-2025-12-02.log").write_bytes(LINES[2] + LINES[1][:-1])
    assert len(lines_of(before)) == 2, "its last line has no end and is all there will be"
    (after,) = set(keys()) - {before}
    assert len(lines_of(after)) == 1
    (folder / "web.log").write_bytes(LINES[1])
    assert len(lines_of(after)) == 2, "the log is written to under another name"


def test_changed_patterns_land_a_log_again(folder: Path, settings: Settings) -> None:
    (folder / "web.log").write_bytes(b"".join(LINES))
    window = Window(keys()[0])
    assert extract.extract(settings, LOGS, "log_line", window, "r").is_new
    assert not extract.extract(settings, LOGS, "log_line", window, "r").is_new
    (folder.parent / "patterns.csv").write_text(PATTERNS.replace("/a", "/b") + "x,1,access,(?P<stamp>.*),%Y,UTC\n")
    assert extract.extract(settings, LOGS, "log_line", window, "r").is_new


def test_a_damaged_file_and_a_missing_folder_say_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "web.log.1.gz").write_bytes(gzip.compress(b"".join(LINES))[:-9])
    with pytest.raises(SourceError, match="cut or damaged"):
        pages_of(keys()[0])
    monkeypatch.setenv("LEGACY_LOG_DROP_PATH", str(folder / "nowhere"))
    with pytest.raises(SourceError, match="folder is not there"):
        keys()
