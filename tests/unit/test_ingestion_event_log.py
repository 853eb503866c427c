"""The public event log of a real ServiceNow instance: every event accounted for, to the character."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingestion import landing
from ingestion.extract import extract_due, write_run_context
from ingestion.settings import Settings

LOG = Path(os.environ.get("REAL_DATA_DIR", "/nonexistent")) / "servicenow_incident_event_log.csv.gz"


@pytest.mark.realdata
@pytest.mark.skipif(not LOG.exists(), reason="REAL_DATA_DIR does not hold the event log")
def test_every_event_of_the_real_log_is_accounted_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SERVICENOW_URL", raising=False)
    monkeypatch.setenv("SERVICENOW_EXPORT_FILE", str(LOG))
    settings = Settings.from_env({"WAREHOUSE_PATH": str(tmp_path / "w.duckdb")})
    landing.prepare(settings)
    context = write_run_context(settings, "r")
    assert context.as_of_at.isoformat() == "2017-02-18T15:00:00+00:00"
    (result,) = extract_due(settings, "servicenow_event_log", "incident_event", context.as_of_at, "r")
    assert (result.received_count, result.row_count, result.rejected_count) == (141_712, 141_712, 0)
    assert (result.missing_columns, result.unknown_columns) == ((), ())
    with landing.connect(settings, read_only=True) as connection:
        columns = ", ".join(
            row[0]
            for row in connection.execute("describe raw_servicenow_event_log.incident_event").fetchall()
            if not row[0].startswith("_")
        )
        # DuckDB's own reader is the other witness; the numbers of rows are equal, so one direction will do.
        (differences,) = connection.execute(
            f"""
            select count(*) from (
                select {columns} from raw_servicenow_event_log.incident_event
                except all
                select {columns} from read_csv('{LOG}', all_varchar = true, header = true))
            """
        ).fetchone()
        assert differences == 0
        assert connection.execute(
            "select count(distinct number), count(distinct (number, sys_mod_count, sys_updated_at)), "
            "count(*) filter (opened_by = 'Opened by  8') > 0 from raw_servicenow_event_log.incident_event"
        ).fetchone() == (24_918, 141_712, True)
