"""What `sltw check` and `sltw run --dry-run` say of sources that cannot be read, and that neither leaves a trace."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dagster_project.cli import main
from dagster_project.lib.land import PROGRESS_SECONDS, EntityProgress
from ingestion.contracts import Progress, Window
from ingestion.extract import extract, extract_due, resolve, window_for_partition
from ingestion.source_check import EntityCheck, check_source, owed
from ingestion.sources import SOURCES
from tests.faults.conftest import Desk
from tests.faults.vendor_server import Answer, VendorServer

AS_OF = datetime(2025, 3, 5, 12, tzinfo=UTC)
SERVICENOW = SOURCES["servicenow"]


def only(checks: list[EntityCheck], entity: str = "incident") -> EntityCheck:
    (found,) = (check for check in checks if check.entity == entity)
    return found


def test_a_readable_entity_shows_its_first_page(desk: Desk, vendor: VendorServer) -> None:
    found = only(check_source(SERVICENOW, AS_OF))
    assert (found.verdict, found.asked_for, found.record_count, found.trouble) == ("readable", "2025-03-04", 10, "")
    # a day without records is no proof: the month before it is asked too
    empty = only(check_source(SERVICENOW, AS_OF), "change_request")
    assert (empty.verdict, empty.asked_for, empty.is_readable) == ("nothing seen", "2025-02-02/2025-03-04", True)


@pytest.mark.requirement("DESK-3.1")
@pytest.mark.parametrize(
    ("status", "words", "mend"),
    [
        (401, "not let in: the credentials are wrong or expired", "SERVICENOW_USER and SERVICENOW_PASSWORD"),
        (403, "not allowed to read this", "what that account may read"),
        (404, "this table or list is not there", "check the address"),
        (429, "its rate limit is used up", "check again"),
        (503, "fails with an error of its own", "check again"),
    ],
)
def test_a_refusal_is_put_into_words(desk: Desk, vendor: VendorServer, status: int, words: str, mend: str) -> None:
    def refuse(number: int, path: str, params: dict[str, str], answer: Answer) -> None:
        if path.endswith("/incident"):
            answer.status, answer.body = status, b'{"error": "no, s3cr3t-of-servicenow"}'

    vendor.fault = refuse
    checks = check_source(SERVICENOW, AS_OF)
    found = only(checks)
    assert (found.verdict, found.record_count) == ("unreadable", 0)
    assert words in found.trouble and mend in found.how_to_mend
    assert "s3cr3t" not in repr(checks)
    assert only(checks, "sys_user_group").is_readable
    assert desk.sleeps == []  # nobody waits for a second attempt


def test_a_server_that_is_not_there(desk: Desk, vendor: VendorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATADOG_URL", "http://127.0.0.1:9")
    assert {check.verdict for check in check_source(SOURCES["datadog"], AS_OF)} == {"unreadable"}
    assert "cannot be reached" in check_source(SOURCES["datadog"], AS_OF)[0].trouble


def test_rows_hidden_from_the_user_are_seen(desk: Desk, vendor: VendorServer) -> None:
    def hide(number: int, path: str, params: dict[str, str], answer: Answer) -> None:
        if path.endswith("/incident"):
            answer.replace_records(answer.records()[1:])

    vendor.fault = hide
    found = only(check_source(SERVICENOW, AS_OF))
    assert found.verdict == "unreadable" and "read every row" in found.how_to_mend


def test_a_column_the_user_may_not_read_is_named(desk: Desk, vendor: VendorServer) -> None:
    for record in vendor.tables["incident"]:
        del record["made_sla"]
    found = only(check_source(SERVICENOW, AS_OF))
    assert (found.verdict, found.missing_columns, found.is_readable) == ("columns missing", ("made_sla",), False)


def test_the_command_counts_what_can_be_read_and_hides_credentials(
    desk: Desk, vendor: VendorServer, capfd: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WAREHOUSE_PATH", str(tmp_path / "nowhere" / "warehouse.duckdb"))
    monkeypatch.setenv("AS_OF", AS_OF.isoformat())
    assert main(["check", "--source", "servicenow"]) == 0
    count = len(SERVICENOW.entities)
    assert f"check: 1 sources, {count} of {count} entities can be read" in capfd.readouterr().out
    monkeypatch.setenv("LEDGER_DROP_PATH", str(tmp_path / "gone"))
    assert main(["check"]) == 1
    out = capfd.readouterr().out
    assert "ledger: journal_line" in out and "the folder is not there" in out
    assert "payroll: absent, PAYROLL_DROP_PATH is not set" in out
    monkeypatch.delenv("SERVICENOW_PASSWORD")
    assert main(["check", "--source", "servicenow"]) == 1
    assert "SERVICENOW_PASSWORD is not set" in capfd.readouterr().out
    assert "s3cr3t" not in out and not (tmp_path / "nowhere").exists()


def test_files_are_checked_by_their_header(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LEDGER_DROP_PATH", str(tmp_path))
    assert "there is no file yet" in only(check_source(SOURCES["ledger"], AS_OF), "journal_line").trouble
    header = [column for column in SOURCES["ledger"].entities["journal_line"].columns if column != "reference"]
    (tmp_path / "journal_2025-02.csv").write_text(",".join(header) + "\n")
    found = only(check_source(SOURCES["ledger"], AS_OF), "journal_line")
    assert (found.verdict, found.asked_for, found.missing_columns) == ("columns missing", "2025-02", ("reference",))
    if os.geteuid():  # root may read anything
        (tmp_path / "journal_2025-02.csv").chmod(0)
        assert "cannot be read" in only(check_source(SOURCES["ledger"], AS_OF), "journal_line").trouble


def test_owed_windows_with_the_count_the_source_promises(
    desk: Desk, vendor: VendorServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = desk.settings
    (incident,) = (entity for entity in owed(settings, SERVICENOW, AS_OF) if entity.entity == "incident")
    assert (incident.first_count, incident.again_count, incident.source_count) == (8, 0, 25)
    assert incident.span == "2024-07-01 to 2025-03-04"
    extract_due(settings, "servicenow", "incident", AS_OF, "run")
    before = settings.warehouse_path.read_bytes()
    (incident,) = (entity for entity in owed(settings, SERVICENOW, AS_OF) if entity.entity == "incident")
    # the overlap: the last landed window once more
    assert (incident.first_count, incident.again_count, incident.source_count) == (0, 1, 25)

    monkeypatch.setenv("LEDGER_DROP_PATH", str(tmp_path))
    entity = resolve("ledger", "journal_line")[1]
    drop = tmp_path / "journal_2025-02.csv"
    drop.write_text(",".join(entity.columns) + "\n")
    line = next(found for found in owed(settings, SOURCES["ledger"], AS_OF) if found.entity == "journal_line")
    assert (line.first_count, line.again_count, line.unchanged_count, line.source_count) == (1, 0, 0, None)
    assert settings.warehouse_path.read_bytes() == before
    extract(settings, "ledger", entity, window_for_partition(entity, "2025-02"), "run")
    line = next(found for found in owed(settings, SOURCES["ledger"], AS_OF) if found.entity == "journal_line")
    assert (line.first_count, line.again_count, line.unchanged_count) == (0, 0, 1)
    drop.write_text(drop.read_text() + "V1" + "," * (len(entity.columns) - 1) + "\n")
    line = next(found for found in owed(settings, SOURCES["ledger"], AS_OF) if found.entity == "journal_line")
    assert (line.first_count, line.again_count, line.unchanged_count) == (0, 1, 0)


def test_a_dry_run_writes_nothing(
    desk: Desk, vendor: VendorServer, capfd: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WAREHOUSE_PATH", str(tmp_path / "nowhere" / "warehouse.duckdb"))
    monkeypatch.setenv("AS_OF", AS_OF.isoformat())
    assert main(["run", "--dry-run", "--source", "servicenow"]) == 0
    out = capfd.readouterr().out
    assert "2024-07-01 to 2025-03-04" in out and "nothing was" in out
    assert not (tmp_path / "nowhere").exists()
    vendor.fault = lambda number, path, params, answer: setattr(answer, "status", 401)
    assert main(["run", "--dry-run", "--source", "servicenow"]) == 1
    assert "not let in" in capfd.readouterr().out


def test_progress_tells_rows_rate_and_what_remains_but_not_at_every_page(desk: Desk, vendor: VendorServer) -> None:
    lines: list[str] = []
    now = [0.0]
    windows = [Window("2025-03-03"), Window("2025-03-04")]
    progress = EntityProgress(lines.append, windows, clock=lambda: now[0])
    for page in range(1, 41):
        now[0] += 1.0
        progress(Progress("servicenow", "incident", "2025-03-04", "extracting", page * 100, page, 5000))
    assert len(lines) == 40 // PROGRESS_SECONDS
    assert lines[0] == (
        "servicenow.incident 2025-03-04: 1,000 rows so far, 100 a second, 4,000 of 5,000 to go in this window (40 s), "
        "window 1 of 2"
    )
    progress(Progress("servicenow", "incident", "2025-03-04", "retrying", message="the system answered 503"))
    assert lines[-1] == "servicenow.incident 2025-03-04: retrying, the system answered 503"
