"""ServiceNow tables from exported files: the same records as from the API, each in one window, nothing lost."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ingestion import landing
from ingestion.contracts import Page, SourceError, Window
from ingestion.demo.company import build_company
from ingestion.demo.served_servicenow import ServiceNowTables
from ingestion.demo.server import DemoServer
from ingestion.extract import extract_due
from ingestion.json_records import to_text
from ingestion.settings import Settings
from ingestion.sources.servicenow import SERVICENOW

INCIDENT, GROUP = SERVICENOW.entities["incident"], SERVICENOW.entities["sys_user_group"]
AUDIT = SERVICENOW.entities["sys_audit"]
JANUARY, FEBRUARY = Window.of_month(date(2025, 1, 1)), Window.of_month(date(2025, 2, 1))
SNAPSHOT = Window("snapshot")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("SERVICENOW_URL", raising=False)
    monkeypatch.setenv("SERVICENOW_TABLE_EXPORT_PATH", str(tmp_path))
    return tmp_path


def read(entity: object, window: Window) -> list[Page]:
    return list(SERVICENOW.pages(entity, window, lambda message: None))


def ids(entity: object, window: Window) -> list[str]:
    return [
        record.values["sys_id"] if record.reason is None else f"rejected: {record.reason}"
        for page in read(entity, window)
        for record in page.records
    ]


def test_without_an_address_the_folder_is_the_way_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert SERVICENOW.is_configured() == (True, "SERVICENOW_TABLE_EXPORT_PATH is set (exported tables, no API)")
    assert SERVICENOW.version() == "servicenow-table-export/1"
    monkeypatch.setenv("SERVICENOW_URL", "http://localhost")
    assert SERVICENOW.is_configured() == (True, "SERVICENOW_URL is set")
    assert SERVICENOW.version() == SERVICENOW.connector_version
    monkeypatch.delenv("SERVICENOW_URL")
    monkeypatch.delenv("SERVICENOW_TABLE_EXPORT_PATH")
    assert SERVICENOW.is_configured()[0] is False


@pytest.mark.requirement("OPS-3.1")
def test_csv_and_json_give_the_same_values(folder: Path) -> None:
    (folder / "sys_user_group.csv").write_text('sys_id,name,active\ng1,"Service, Desk",true\ng2,,false\n')
    from_csv = read(GROUP, SNAPSHOT)
    (folder / "sys_user_group.csv").unlink()
    records = [
        {"sys_id": "g1", "name": "Service, Desk", "active": "true"},
        {"sys_id": "g2", "name": "", "active": "false"},
    ]
    (folder / "sys_user_group.json.gz").write_bytes(gzip.compress(json.dumps({"records": records}).encode()))
    from_json = read(GROUP, SNAPSHOT)
    assert [dict(r.values) for page in from_csv for r in page.records] == records
    assert [dict(r.values) for page in from_json for r in page.records] == records


def test_each_record_is_in_the_window_of_its_stamp(folder: Path) -> None:
    (folder / "incident.csv").write_text(
        "sys_id,number,sys_updated_on\n"
        "i1,INC1,2024-12-31 23:59:59\n"
        "i2,INC2,2025-01-01 00:00:00\n"
        "i3,INC3,2025-01-31 23:59:59\n"
        "i4,INC4,2025-02-01 00:00:00\n"
    )
    assert ids(INCIDENT, JANUARY) == ["i2", "i3"]
    assert ids(INCIDENT, FEBRUARY) == ["i4"]


def test_only_files_that_may_hold_the_window_are_opened(folder: Path) -> None:
    (folder / "incident_2025-01.csv").write_text("sys_id,number,sys_updated_on\ni1,INC1,2025-01-05 00:00:00\n")
    (folder / "incident_2025-02.json").write_text("damaged")
    assert ids(INCIDENT, JANUARY) == ["i1"]
    with pytest.raises(SourceError, match="no JSON export of incident"):
        ids(INCIDENT, FEBRUARY)


def test_what_has_no_time_of_its_own_is_rejected_in_one_window(folder: Path) -> None:
    """A line with a field too many after i1, one with a foreign date before all and one after i3."""
    (folder / "incident.csv").write_text(
        "sys_id,number,sys_updated_on\n"
        "i0,INC0,05.01.2025\n"
        "i1,INC1,2025-01-05 00:00:00\n"
        "i2,INC2,2025-01-06 00:00:00,too much\n"
        "i3,INC3,2025-02-01 00:00:00\n"
        "i4,INC4,\n"
    )
    assert ids(INCIDENT, JANUARY) == [
        "rejected: unreadable_stamp: sys_updated_on is '05.01.2025'",
        "i1",
        "rejected: wrong_column_count: 4 instead of 3",
    ]
    assert ids(INCIDENT, FEBRUARY) == ["i3", "rejected: unreadable_stamp: sys_updated_on is ''"]


def test_a_file_in_the_format_of_its_reader_is_refused(folder: Path) -> None:
    (folder / "incident.csv").write_text("sys_id,number,sys_updated_on\ni1,INC1,05.01.2025 10:00\n")
    with pytest.raises(SourceError, match="no record of incident can be placed in time") as refused:
        ids(INCIDENT, JANUARY)
    assert "GMT" in refused.value.how_to_mend


def test_the_audit_of_other_tables_and_fields_is_left_aside_as_the_query_does(folder: Path) -> None:
    (folder / "sys_audit.csv").write_text(
        "sys_id,tablename,documentkey,fieldname,oldvalue,newvalue,sys_created_on,user,record_checkpoint\n"
        "a1,incident,i1,state,1,2,2025-01-05 00:00:00,e1,0\n"
        "a2,problem,p1,state,1,2,2025-01-05 00:00:00,e1,0\n"
        "a3,incident,i1,work_notes,,x,2025-01-05 00:00:00,e1,1\n"
    )
    assert ids(AUDIT, JANUARY) == ["a1"]


def test_a_table_without_a_file_is_an_error_and_without_records_is_none(folder: Path) -> None:
    with pytest.raises(SourceError, match="no exported file of sys_user_group"):
        ids(GROUP, SNAPSHOT)
    (folder / "sys_user_group.json").write_text('{"records": []}')
    assert ids(GROUP, SNAPSHOT) == []
    (folder / "sys_user_group.csv").write_text("sys_id,name,active\n")
    with pytest.raises(SourceError, match="two files claim the whole of sys_user_group"):
        ids(GROUP, SNAPSHOT)


@pytest.fixture(scope="module")
def both_ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], Path]]:
    """A company served by the API, and the same tables as an instance exports them: CSV and JSON in turn, by month
    where the table is read by windows.
    """
    folder = tmp_path_factory.mktemp("exports")
    company = build_company(ticket_count=150)
    tables = ServiceNowTables(company)
    for number, entity in enumerate(SERVICENOW.entities.values()):
        table = tables.tables[entity.name]
        months: dict[str, list[tuple[str, ...]]] = {}
        for row in table.rows:
            month = f"_{row[table.position[entity.stamp]][:7]}" if entity.stamp else ""
            months.setdefault(month, []).append(row)
        for month, rows in months.items():
            if number % 2:
                records = [dict(zip(table.columns, row, strict=True)) for row in rows]
                (folder / f"{entity.name}{month}.json").write_text(json.dumps({"records": records}))
            else:
                with gzip.open(folder / f"{entity.name}{month}.csv.gz", "wt", newline="") as file:
                    csv.writer(file).writerows([table.columns, *rows])
    with DemoServer(company, with_drops=False) as server:
        yield server.environment(), folder


@pytest.mark.requirement("OPS-3.1")
@pytest.mark.parametrize("name", list(SERVICENOW.entities))
def test_files_land_what_the_api_lands(
    both_ways: tuple[dict[str, str], Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment, folder = both_ways
    entity = SERVICENOW.entities[name]
    windows = [SNAPSHOT]
    if entity.stamp:
        # across a month's end, within a month, and in the middle of one
        windows = [Window.of_days(date(2025, m, 20), date(2025, m + 1, 10)) for m in (1, 5, 9)]

    def values(window: Window) -> set[tuple[str | None, ...]]:
        return {
            tuple(to_text(record.values.get(column)) for column in entity.columns)
            for page in read(entity, window)
            for record in page.records
            if record.reason is None
        }

    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    from_api = [values(window) for window in windows]
    monkeypatch.delenv("SERVICENOW_URL")
    monkeypatch.setenv("SERVICENOW_TABLE_EXPORT_PATH", str(folder))
    assert [values(window) for window in windows] == from_api
    assert any(from_api)


def test_a_file_that_comes_late_is_landed_by_a_later_run(folder: Path) -> None:
    """Its window was read as empty before; without an address every window may come again."""
    settings = Settings.from_env({"WAREHOUSE_PATH": str(folder / "w.duckdb"), "EXTRACT_FROM": "2025-01-01"})
    landing.prepare(settings)
    record = {"sys_id": "0" * 32, "number": "INC1", "sys_updated_on": "2025-01-05 08:00:00"}
    late = {**record, "sys_id": "1" * 32, "number": "INC2", "sys_updated_on": "2025-02-07 08:00:00"}
    as_of = datetime(2025, 3, 1, tzinfo=UTC)
    (folder / "incident_2025-01.json").write_text(json.dumps({"records": [record]}))
    extract_due(settings, SERVICENOW, INCIDENT, as_of, "first")
    (folder / "incident_2025-02.json").write_text(json.dumps({"records": [late]}))
    extract_due(settings, SERVICENOW, INCIDENT, as_of, "second")
    with landing.connect(settings, read_only=True) as connection:
        found = connection.execute("select distinct number from raw_servicenow.incident order by 1").fetchall()
    assert found == [("INC1",), ("INC2",)]
