"""For each test a warehouse of its own, an environment without sources, a sleep that only remembers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingestion import landing
from ingestion.contracts import Progress, Window
from ingestion.extract import BatchResult, extract, resolve, window_for_partition
from ingestion.settings import Settings
from tests.faults.vendor_server import VendorServer

SOURCE_VARIABLES = (
    "SERVICENOW_",
    "DATADOG_",
    "DD_",
    "BAMBOOHR_",
    "PAYROLL_",
    "LEDGER_",
    "MONITOR_SAMPLE_",
    "LEGACY_LOG_",
    "AS_OF",
    "EXTRACT_FROM",
)


@dataclass
class Desk:
    """The warehouse under test, with short ways to extract and to look."""

    settings: Settings
    environment: dict[str, str] = field(default_factory=dict)
    sleeps: list[float] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)

    def extract(self, source: str, entity: str, key: str) -> BatchResult:
        window: Window = window_for_partition(resolve(source, entity)[1], key)
        result = extract(self.settings, source, entity, window, "run-1", self.progress.append)
        self.assert_counts_are_true(result, f"raw_{source}.{entity}")
        return result

    def assert_counts_are_true(self, result: BatchResult, table: str) -> None:
        """What the batch says is what the tables hold, each row number once."""
        landed = f"select _row_number from {table} where _batch_id = '{result.batch_id}'"
        turned_away = f"select row_number from landing.landing_reject where batch_id = '{result.batch_id}'"
        assert len(self.rows(landed)) == result.row_count
        assert len(self.rows(turned_away)) == result.rejected_count
        assert self.rows(f"select * from ({landed} union all {turned_away}) order by 1") == [
            (number,) for number in range(1, result.received_count + 1)
        ]

    def rows(self, query: str) -> list[tuple]:
        with landing.connect(self.settings, read_only=True) as connection:
            return connection.execute(query).fetchall()

    def phases(self) -> list[str]:
        return [event.phase for event in self.progress]

    def is_empty(self) -> bool:
        """Nothing landed, nothing rejected, no batch, and no page left in the spool."""
        return self.is_empty_but_for_the_spool() and not list(self.settings.spool_path.glob("extract-*"))

    def is_empty_but_for_the_spool(self) -> bool:
        """Nothing landed, nothing rejected, no batch."""
        tables = ("landing.extract_batch", "landing.landing_reject", "landing.extract_state")
        tables += ("raw_servicenow.incident", "raw_payroll.register_line", "raw_ledger.journal_line")
        counts = [self.rows(f"select count(*) from {table}") for table in tables]
        return counts == [[(0,)]] * len(tables)


@pytest.fixture(scope="session")
def empty_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "warehouse.duckdb"
    landing.prepare(Settings.from_env({"WAREHOUSE_PATH": str(path)}))
    return path


@pytest.fixture
def desk(empty_warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    for name in list(os.environ):
        if name.startswith(SOURCE_VARIABLES):
            monkeypatch.delenv(name)
    settings = Settings.from_env({"WAREHOUSE_PATH": str(tmp_path / "warehouse.duckdb")})
    shutil.copy(empty_warehouse, settings.warehouse_path)
    desk = Desk(settings)
    monkeypatch.setattr("ingestion.http.time.sleep", desk.sleeps.append)
    return desk


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[VendorServer]:
    """The server, with 25 incidents of one day, read in pages of 10."""
    monkeypatch.setattr("ingestion.sources.servicenow.PAGE_SIZE", 10)
    with VendorServer() as server:
        server.tables["incident"] = incidents(25)
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield server


def incidents(count: int, day: str = "2025-03-04") -> list[dict]:
    """Incidents with every contract column, one second apart."""
    columns = resolve("servicenow", "incident")[1].columns
    records = []
    for number in range(count):
        record = dict.fromkeys(columns, "")
        record.update(
            sys_id=f"{number:032x}",
            number=f"INC{number:07d}",
            sys_updated_on=f"{day} 08:{number // 60:02d}:{number % 60:02d}",
            short_description=f"printer «{number}» says ✗",
            assignment_group={"link": "https://x/api/now/table/sys_user_group/g1", "value": "g1"},
        )
        records.append(record)
    return records
