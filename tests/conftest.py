"""What tests share: the demonstration company, its server, and one warehouse built from it by the main job.

`demo_warehouse` is built once per test session by the very job that `sltw demo` runs, at a reduced scale, and is
shared by all test processes: open it read-only. A test that writes takes `demo_copy`, a copy of its own with the
environment pointed at it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from dagster_project.lib.job_runner import JobRun
    from ingestion.demo.model import Company
    from ingestion.demo.server import DemoServer

DEMO_TICKET_COUNT = 2_500

# Nothing of the machine the tests run on may decide what they see.
PROJECT_VARIABLES = """
    WAREHOUSE_PATH PUBLISH_PATH SPOOL_PATH ARCHIVE_PATH PAYROLL_EXPORT_PATH DAGSTER_HOME EXTRACT_FROM AS_OF
    SERVICENOW_URL SERVICENOW_USER SERVICENOW_PASSWORD SERVICENOW_TABLE_EXPORT_PATH SERVICENOW_TABLE_EXPORT_ENCODING
    SERVICENOW_EXPORT_FILE SERVICENOW_EXPORT_ENCODING DATADOG_URL DD_API_KEY DD_APP_KEY
    BAMBOOHR_URL BAMBOOHR_API_KEY WORKDAY_URL WORKDAY_USER WORKDAY_PASSWORD WORKDAY_WORKER_REPORT
    WORKDAY_WORKER_PROMPTS PAYROLL_DROP_PATH PAYROLL_ENCODING LEDGER_DROP_PATH LEDGER_ENCODING
    MONITOR_SAMPLE_DROP_PATH MONITOR_SAMPLE_ENCODING FX_RATE_DROP_PATH FX_RATE_ENCODING BILLING_DROP_PATH
    BILLING_ENCODING VENDOR_PERFORMANCE_DROP_PATH VENDOR_PERFORMANCE_ENCODING SURVEY_DROP_PATH SURVEY_ENCODING
    QUICKBOOKS_URL QUICKBOOKS_REALM_ID QUICKBOOKS_ACCESS_TOKEN QUICKBOOKS_FROM
    LEGACY_LOG_DROP_PATH LEGACY_LOG_PATTERN_FILE BELIEVE_DELETIONS
    JIRA_URL JIRA_USER_EMAIL JIRA_API_TOKEN JIRA_PROJECT_KEYS
"""
for _name in PROJECT_VARIABLES.split():
    os.environ.pop(_name, None)


@contextmanager
def _environment_kept() -> Iterator[None]:
    """What the code under test writes to the environment (it settles its paths there) ends with the block."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module", autouse=True)
def _environment_of_the_module() -> Iterator[None]:
    with _environment_kept():
        yield


@pytest.fixture(autouse=True)
def _environment_of_the_test() -> Iterator[None]:
    with _environment_kept():
        yield


@dataclass(frozen=True)
class DemoWarehouse:
    """A warehouse built from the company: where it stands, what built it, and the environment it was built in.

    `environment` names the paths and this process's demonstration server: with it set, the main job runs again.
    """

    folder: Path
    company: Company
    run: JobRun
    environment: dict[str, str]

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file; open it read-only and close it."""
        return self.folder / "warehouse.duckdb"

    @property
    def publish_path(self) -> Path:
        """The folder of the audience files."""
        return self.folder / "published"

    @property
    def dagster_home(self) -> Path:
        """The Dagster instance that knows the run."""
        return self.folder / "dagster_home"


def paths_environment(folder: Path) -> dict[str, str]:
    """The variables that put a warehouse, and all that belongs to it, into a folder; dbt finds its project parsed."""
    from tests.shared_parse import lend_parse

    warehouse_path = folder / "warehouse.duckdb"
    lend_parse(folder / "warehouse_state" / "dbt", warehouse_path)
    return {
        "WAREHOUSE_PATH": str(warehouse_path),
        "PUBLISH_PATH": str(folder / "published"),
        "SPOOL_PATH": str(folder / "spool"),
        "ARCHIVE_PATH": str(folder / "archive"),
        "PAYROLL_EXPORT_PATH": str(folder / "payroll_export"),
        "DAGSTER_HOME": str(folder / "dagster_home"),
    }


@pytest.fixture(scope="session")
def demo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    """The company at a reduced scale (`server.company`, its planted facts complete), served while tests run."""
    from ingestion.demo.company import build_company
    from ingestion.demo.server import DemoServer

    company = build_company(ticket_count=DEMO_TICKET_COUNT)
    with DemoServer(company, drops_path=tmp_path_factory.mktemp("drops")) as server:
        yield server


@pytest.fixture(scope="session")
def demo_warehouse(demo_server: DemoServer, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> DemoWarehouse:
    """The company's warehouse after one run of the main job. Built by the first process that asks."""
    from dagster_project.lib.job_runner import JobRun

    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "demo_warehouse"
    folder.mkdir(exist_ok=True)
    environment = {**demo_server.environment(), **paths_environment(folder)}
    result = folder / "run.json"
    with (folder / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not result.exists():
            run = run_main_job(environment)
            assert run.success, "\n".join(f"{step}: {message}" for step, message in run.errors)
            result.write_text(json.dumps(asdict(run)))
    return DemoWarehouse(folder, demo_server.company, JobRun.from_json(result.read_text()), environment)


def run_main_job(environment: dict[str, str], job_name: str = "warehouse") -> JobRun:
    """Run a job in this process with nothing but `environment` deciding where and on what."""
    from dagster_project.definitions import build_defs
    from dagster_project.lib.job_runner import run_job

    before = dict(os.environ)
    os.environ.update(environment)
    try:
        return run_job(build_defs(), job_name, Path(environment["DAGSTER_HOME"]))
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def demo_copy(demo_warehouse: DemoWarehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DemoWarehouse:
    """A copy of the warehouse, its files and its Dagster home that a test may write to and run on again."""
    folder = tmp_path / "demo"
    shutil.copytree(demo_warehouse.folder, folder)
    environment = {**demo_warehouse.environment, **paths_environment(folder)}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return DemoWarehouse(folder, demo_warehouse.company, demo_warehouse.run, environment)


@pytest.fixture(scope="session")
def real_event_log() -> Path:
    """The real ServiceNow event log, where REAL_DATA_DIR names a folder that holds it."""
    folder = os.environ.get("REAL_DATA_DIR")
    if not folder:
        pytest.skip("REAL_DATA_DIR is not set")
    path = Path(folder) / "servicenow_incident_event_log.csv.gz"
    assert path.is_file(), f"REAL_DATA_DIR={folder} holds no {path.name}"
    return path
