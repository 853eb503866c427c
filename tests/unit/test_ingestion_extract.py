"""What is owed, by which key, and the facts of a run: on real warehouses, with batches that really landed."""

from __future__ import annotations

import csv
import itertools
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from ingestion import landing
from ingestion.contracts import MAX_RANGE_DAYS, Page, SourceError, Window
from ingestion.extract import (
    due_windows,
    extract,
    window_for_partition,
    write_run_context,
    write_source_status,
)
from ingestion.json_records import build_record
from ingestion.settings import Settings
from ingestion.sources import SOURCES

INCIDENT = SOURCES["servicenow"].entities["incident"]
LINE = SOURCES["payroll"].entities["register_line"]
GROUP = SOURCES["servicenow"].entities["sys_user_group"]
PREFIXES = ("SERVICENOW_", "DATADOG_", "BAMBOOHR_", "PAYROLL_", "LEDGER_", "MONITOR_SAMPLE_", "LEGACY_LOG_")
PREFIXES += ("AS_OF", "EXTRACT_FROM")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in list(os.environ):
        if name.startswith(PREFIXES):
            monkeypatch.delenv(name)
    settings = Settings.from_env({"WAREHOUSE_PATH": str(tmp_path / "w.duckdb"), "EXTRACT_FROM": "2025-01-01"})
    landing.prepare(settings)
    return settings


def land(settings: Settings, key: str, sys_ids: list[str]) -> landing.LandResult:
    """Land incidents stamped at the window's start, as an extract would."""
    window = window_for_partition(INCIDENT, key)
    with landing.Spool(settings, INCIDENT) as spool:
        records = [{"sys_id": sys_id, "sys_updated_on": f"{window.start_at:%Y-%m-%d %H:%M:%S}"} for sys_id in sys_ids]
        spool.add(Page([build_record(str(record).replace("'", '"'), record, INCIDENT) for record in records]))
        return landing.land(
            settings,
            SOURCES["servicenow"],
            INCIDENT,
            window,
            spool,
            run_id="r",
            started_at=landing.utc_now(),
        )


def keys(settings: Settings, as_of: datetime) -> list[str]:
    return [window.partition_key for window in due_windows(settings, "servicenow", "incident", as_of)]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("entity", "key", "start", "end"),
    [
        (INCIDENT, "2025-03-04", "2025-03-04", "2025-03-05"),
        (INCIDENT, "2025-01-30/2025-03-01", "2025-01-30", "2025-03-02"),
        (LINE, "2024-12", "2024-12-01", "2025-01-01"),
        (LINE, "2024-02", "2024-02-01", "2024-03-01"),
    ],
)
def test_window_for_partition(entity: object, key: str, start: str, end: str) -> None:
    assert window_for_partition(entity, key) == Window(key, at(start), at(end))


@pytest.mark.parametrize(
    ("entity", "key"),
    [
        (INCIDENT, "2025-3-4"),
        (INCIDENT, "2025-03-04/2025-03-04"),
        (INCIDENT, "2025-03-05/2025-03-04"),
        (INCIDENT, "snapshot"),
        (LINE, "2025-13"),
        (LINE, "2025-03-01"),
        (GROUP, "2025-03-01"),
    ],
)
def test_window_of_another_form_is_refused(entity: object, key: str) -> None:
    with pytest.raises(ValueError, match="partition"):
        window_for_partition(entity, key)


def test_absent_source_owes_nothing(settings: Settings) -> None:
    assert keys(settings, at("2025-03-01")) == []


def test_first_load_is_cut_in_ranges_that_join_without_gap(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICENOW_URL", "http://x")
    windows = due_windows(settings, "servicenow", "incident", at("2025-03-05T13:00:00"))
    assert [window.partition_key for window in windows] == [
        "2025-01-01/2025-01-31",
        "2025-02-01/2025-03-03",
        "2025-03-04",
    ]
    assert windows[0].start_at == at("2025-01-01") and windows[-1].end_at == at("2025-03-05")
    assert all(a.end_at == b.start_at for a, b in itertools.pairwise(windows))
    assert max((window.end_at - window.start_at).days for window in windows) == MAX_RANGE_DAYS


def test_what_has_landed_is_not_owed_but_the_last_day_is_looked_at_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVICENOW_URL", "http://x")
    land(settings, "2025-01-01/2025-01-31", ["a"])
    assert keys(settings, at("2025-02-01T09:00:00")) == ["2025-01-01/2025-01-31"]
    assert keys(settings, at("2025-02-03")) == ["2025-01-01/2025-01-31", "2025-02-01/2025-02-02"]
    land(settings, "2025-02-01", ["b"])
    # a backfill far ahead does not hide the days between
    land(settings, "2025-02-10", ["c"])
    assert keys(settings, at("2025-02-12")) == ["2025-02-02/2025-02-09", "2025-02-10", "2025-02-11"]
    # nor does a day extracted once more inside a range open that range again
    land(settings, "2025-01-10", ["d"])
    assert keys(settings, at("2025-02-12")) == ["2025-02-02/2025-02-09", "2025-02-10", "2025-02-11"]
    # nothing after as_of is owed or looked at again
    assert keys(settings, at("2025-02-03")) == ["2025-02-01", "2025-02-02"]


def test_months_are_owed_when_they_are_over_and_have_a_file(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYROLL_DROP_PATH", str(tmp_path))
    for month in ("2024-12", "2025-01", "2025-02", "2025-03"):
        (tmp_path / f"payroll_register_{month}.csv").write_text("")
    (tmp_path / "payroll_register_2025-99.csv").write_text("")
    (tmp_path / "other_2025-01.csv").write_text("")
    windows = due_windows(settings, "payroll", "register_line", at("2025-03-15"))
    assert [window.partition_key for window in windows] == ["2025-01", "2025-02"]


def test_snapshot_is_always_owed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICENOW_URL", "http://x")
    assert due_windows(settings, "servicenow", "sys_user_group", at("2025-03-01")) == [Window("snapshot")]


def test_same_content_adds_nothing_and_other_content_is_a_new_batch(settings: Settings) -> None:
    first, again, other = (land(settings, "2025-01-05", ids) for ids in (["a", "b"], ["a", "b"], ["a", "c"]))
    assert (first.is_new, again.is_new, other.is_new) == (True, False, True)
    assert again.batch_id == first.batch_id != other.batch_id
    with landing.connect(settings, read_only=True) as connection:
        batches = connection.execute("select batch_id, row_count from landing.extract_batch order by started_at")
        assert batches.fetchall() == [(first.batch_id, 2), (other.batch_id, 2)]
        assert connection.execute("select current_batch_id from landing.extract_state").fetchall() == [
            (other.batch_id,)
        ]


def test_high_water_never_goes_back(settings: Settings) -> None:
    land(settings, "2025-01-05", ["a"])
    land(settings, "2025-01-03", ["b"])
    land(settings, "2025-01-09", [])
    with landing.connect(settings, read_only=True) as connection:
        marks = connection.execute(
            "select high_water_before, high_water_after from landing.extract_batch order by started_at"
        ).fetchall()
    fifth = datetime(2025, 1, 5)  # noqa: DTZ001
    assert marks == [(None, fifth), (fifth, fifth), (fifth, fifth)]


def test_prepare_adds_a_column_that_joined_the_contract(settings: Settings) -> None:
    with landing.connect(settings) as connection:
        connection.execute("alter table raw_servicenow.incident drop column priority")
    landing.prepare(settings)
    land(settings, "2025-01-05", ["a"])
    with landing.connect(settings, read_only=True) as connection:
        assert connection.execute("select priority from raw_servicenow.incident").fetchall() == [(None,)]


def test_every_entity_has_its_table_with_the_contract_columns(settings: Settings) -> None:
    audit = ["_record", "_batch_id", "_row_number", "_extracted_at", "_row_hash"]
    with landing.connect(settings, read_only=True) as connection:
        for source in SOURCES.values():
            for entity in source.entities.values():
                columns = [row[0] for row in connection.execute(f"describe {entity.table}").fetchall()]
                assert columns == [*entity.columns, *audit]
                assert set(entity.key) <= set(entity.columns)
                assert entity.stamp is None or entity.stamp in entity.columns


def test_landing_before_prepare_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "payroll_register_2025-01.csv").write_text("")
    monkeypatch.setenv("PAYROLL_DROP_PATH", str(tmp_path))
    settings = Settings.from_env({"WAREHOUSE_PATH": str(tmp_path / "none.duckdb")})
    with pytest.raises(SourceError, match=r"call ingestion.landing.prepare first"):
        extract(settings, "payroll", "register_line", window_for_partition(LINE, "2025-01"), "r")


def test_source_status_is_replaced(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    write_source_status(settings)
    monkeypatch.setenv("DATADOG_URL", "http://x")
    status = write_source_status(settings)
    assert list(status) == list(SOURCES)
    with landing.connect(settings, read_only=True) as connection:
        rows = connection.execute("select source, is_configured, reason from landing.source_status").fetchall()
    assert {row[0]: row[1:] for row in rows} == status
    assert status["datadog"] == (True, "DATADOG_URL is set")
    assert status["payroll"] == (False, "PAYROLL_DROP_PATH is not set")


def test_configured_without_credentials_is_an_error(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICENOW_URL", "http://127.0.0.1:1")
    with pytest.raises(SourceError, match="SERVICENOW_USER is not set"):
        extract(settings, "servicenow", "sys_user_group", Window("snapshot"), "r")


def test_as_of_by_setting_by_export_and_by_clock(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixed = Settings.from_env({"WAREHOUSE_PATH": str(settings.warehouse_path), "AS_OF": "2026-01-05T00:00:00Z"})
    assert write_run_context(fixed, "r1").as_of_policy == "as_of_setting"
    clock = write_run_context(settings, "r2")
    assert clock.as_of_policy == "wall_clock" and abs((datetime.now(UTC) - clock.as_of_at).total_seconds()) < 60
    entity = SOURCES["servicenow_event_log"].entities["incident_event"]
    log = tmp_path / "log.csv"
    with log.open("w", newline="") as file:
        writer = csv.DictWriter(file, entity.columns, restval="?")
        writer.writeheader()
        for number, stamp in enumerate(("9/2/2017 23:59", "18/2/2017 15:00", "?", "1/12/2016 10:00")):
            writer.writerow({"number": f"INC{number}", "sys_mod_count": "1", "sys_updated_at": stamp})
    monkeypatch.setenv("SERVICENOW_EXPORT_FILE", str(log))
    before = write_run_context(settings, "r3")
    assert (before.as_of_at, before.as_of_policy) == (at("2017-02-18T15:00:00"), "latest_event_in_export")
    (window,) = due_windows(settings, "servicenow_event_log", "incident_event", before.as_of_at)
    assert window == Window("log.csv")
    result = extract(settings, "servicenow_event_log", "incident_event", window, "r3")
    assert (result.row_count, result.rejected_count) == (4, 0)
    assert write_run_context(settings, "r4").as_of_at == before.as_of_at
    with landing.connect(settings, read_only=True) as connection:
        assert connection.execute("select run_id from landing.run_context order by started_at").fetchall() == [
            ("r1",),
            ("r2",),
            ("r3",),
            ("r4",),
        ]
        assert connection.execute("select high_water_after from landing.extract_batch").fetchall() == [
            (datetime(2017, 2, 18, 15),)  # noqa: DTZ001
        ]


def test_hold_open_closes_with_its_block_and_keeps_other_warehouses_apart(settings: Settings, tmp_path: Path) -> None:
    other = Settings.from_env({"WAREHOUSE_PATH": str(tmp_path / "other.duckdb")})
    landing.prepare(other)
    with landing.hold_open(settings):
        land(settings, "2025-01-05", ["a"])
        with landing.connect(other) as connection:
            assert connection.execute("select count(*) from raw_servicenow.incident").fetchone() == (0,)
    # a read-only connection is refused while any writer of this process is open
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        assert connection.execute("select count(*) from raw_servicenow.incident").fetchone() == (1,)


def test_a_warehouse_held_by_another_process_is_told(settings: Settings) -> None:
    script = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(settings.warehouse_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        try:
            assert holder.stdout.readline() == "open\n"
            with pytest.raises(SourceError, match="the warehouse cannot be opened") as caught:
                write_source_status(settings)
            assert str(holder.pid) in str(caught.value)
        finally:
            holder.kill()
