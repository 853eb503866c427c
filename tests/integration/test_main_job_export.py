"""The same job on a real audit log: every event accounted for, absent sources said, disagreements explained."""

import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.environment import REPO_ROOT

pytestmark = [pytest.mark.slow, pytest.mark.realdata]

EVENTS, INCIDENTS = 141_712, 24_918


def export_run(file: Path, warehouse: Path, **environment: str) -> subprocess.CompletedProcess:
    """The console command as make runs it."""
    command = [sys.executable, "-m", "dagster_project.cli", "export-run", "--file", file, "--warehouse", warehouse]
    return subprocess.run(
        command,
        cwd=REPO_ROOT,
        env={**os.environ, "PYTHONPATH": str(REPO_ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.fixture(scope="module")
def exported(real_event_log: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """(the warehouse, what the command said), run as make runs it."""
    warehouse = tmp_path_factory.mktemp("export") / "log.duckdb"
    # a source that happens to be configured must not find its way into a warehouse of an exported log
    done = export_run(real_event_log, warehouse, DATADOG_URL="http://127.0.0.1:9")
    assert done.returncode == 0, done.stdout + done.stderr
    return warehouse, done.stdout


@pytest.fixture
def warehouse(exported):
    with duckdb.connect(str(exported[0]), read_only=True) as connection:
        yield connection


def test_the_last_line_accounts_for_every_event_and_incident(exported):
    last = exported[1].strip().splitlines()[-1]
    figures = re.match(
        r"export-run: ([\d,]+) events = ([\d,]+) landed \+ ([\d,]+) rejected; ([\d,]+) tickets, ([\d,]+) SLT results; "
        r"our flag agrees with made_sla on ([\d,]+) of ([\d,]+); [\d.]+ s$",
        last,
    )
    assert figures, last
    received, landed, rejected, tickets, results, agreeing, compared = (
        int(figure.replace(",", "")) for figure in figures.groups()
    )
    assert received == EVENTS == landed + rejected
    assert tickets == INCIDENTS == compared
    assert results >= INCIDENTS
    assert agreeing > 0.5 * INCIDENTS


def test_every_incident_has_its_result_and_every_disagreement_its_reason(warehouse):
    assert warehouse.execute(
        "select count(distinct ticket_number) from slt.fct_ticket_slt where phase = 'resolution'"
    ).fetchone() == (INCIDENTS,)
    assert warehouse.execute(
        "select count(*) from finance.rec_itsm_sla_flag where not is_agreeing and disagreement_reason is null"
    ).fetchone() == (0,)


def test_absent_sources_are_said_and_nothing_is_invented(exported, warehouse):
    for source in ("servicenow", "datadog", "bamboohr", "payroll", "ledger"):
        assert re.search(rf"^ *[\d.]+ s  {source}: absent, ", exported[1], re.MULTILINE), source
    for table in ("incentives.fct_incentive_payout", "finance.rec_payout_to_payroll", "slt.fct_availability"):
        assert warehouse.execute(f"select count(*) from {table}").fetchone() == (0,), table


def test_everything_of_it_stands_beside_the_warehouse(exported):
    folder = exported[0].parent
    published = folder / "log_published"
    assert sorted(path.name for path in published.iterdir()) == ["bi.duckdb", "finance.duckdb"]
    assert (folder / "log_state" / "dagster_home" / "dagster.yaml").exists()
    assert (
        f"WAREHOUSE_PATH={exported[0]} DAGSTER_HOME={folder / 'log_state' / 'dagster_home'} make dagster" in exported[1]
    )


@pytest.mark.nightly
def test_a_second_run_lands_nothing_and_says_the_same(exported, real_event_log):
    again = export_run(real_event_log, exported[0])
    assert again.returncode == 0, again.stdout + again.stderr
    assert "141,712 received, all of it landed before" in again.stdout

    def without_seconds(text):
        return text.strip().splitlines()[-1].rpartition("; ")[0]

    assert without_seconds(again.stdout) == without_seconds(exported[1])
