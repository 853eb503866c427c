"""kill -9 at any moment of an extract: nothing visible of it, and the next run is as if it had never been."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingestion import landing
from ingestion.extract import resolve
from ingestion.landing import Spool, clean_spool
from ingestion.settings import Settings
from tests.faults.conftest import Desk
from tests.faults.vendor_server import Answer, VendorServer

DAY = "2025-03-04"
CONTENT = """
    select i.* exclude (_batch_id, _extracted_at), b.partition_key, b.received_count, b.row_count,
           b.rejected_count, b.page_count, b.content_sha256, b.high_water_before, b.high_water_after
    from raw_servicenow.incident as i
    inner join landing.extract_batch as b on b.batch_id = i._batch_id
    inner join landing.extract_state as s on s.current_batch_id = b.batch_id
    order by i._row_number
"""


def start_child(desk: Desk, point: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.extract_in_child", point, DAY],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "WAREHOUSE_PATH": str(desk.settings.warehouse_path)},
        stdout=subprocess.DEVNULL,
    )


def assert_next_run_is_whole(desk: Desk) -> None:
    result = desk.extract("servicenow", "incident", DAY)
    assert (result.is_new, result.row_count) == (True, 24)
    disturbed = desk.rows(CONTENT)
    assert len(disturbed) == 24
    assert desk.rows("select count(*), sum(rejected_count) from landing.extract_batch") == [(1, 1)]
    assert desk.rows("select count(*) from landing.landing_reject") == [(1,)]
    assert not list(desk.settings.spool_path.glob("extract-*"))
    undisturbed = Desk(Settings.from_env({"WAREHOUSE_PATH": f"{desk.settings.warehouse_path}.other"}))
    landing.prepare(undisturbed.settings)
    undisturbed.extract("servicenow", "incident", DAY)
    assert disturbed == undisturbed.rows(CONTENT)


@pytest.fixture
def day(vendor: VendorServer) -> VendorServer:
    """25 incidents, one of which has no key, so that a reject is at stake as well."""
    vendor.tables["incident"][24]["sys_id"] = ""
    return vendor


@pytest.mark.parametrize("point", ["page", "part", "land", "transaction"])
def test_killed_before_the_commit_leaves_nothing(desk: Desk, day: VendorServer, point: str) -> None:
    child = start_child(desk, point)
    assert child.wait(30) == -signal.SIGKILL
    assert list(desk.settings.spool_path.glob("extract-*/page-*")), "the child must have died with pages on disk"
    assert desk.is_empty_but_for_the_spool()
    assert_next_run_is_whole(desk)


def test_killed_after_the_commit_has_landed_once(desk: Desk, day: VendorServer) -> None:
    assert start_child(desk, "commit").wait(30) == -signal.SIGKILL
    result = desk.extract("servicenow", "incident", DAY)
    assert (result.is_new, result.row_count) == (False, 24)
    assert desk.rows("select count(*) from raw_servicenow.incident") == [(24,)]


def test_killed_while_waiting_for_a_page(desk: Desk, day: VendorServer) -> None:
    def hang(current: int, path: str, params: dict, answer: Answer) -> None:
        if params["sysparm_offset"] == "20":
            time.sleep(2)

    day.fault = hang
    child = start_child(desk, "none")
    deadline = time.monotonic() + 30
    while len(list(desk.settings.spool_path.glob("extract-*/page-*.parquet"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    child.kill()
    assert child.wait(30) == -signal.SIGKILL
    day.fault = None
    assert_next_run_is_whole(desk)


def test_spool_of_a_living_extract_is_left_alone(desk: Desk, day: VendorServer) -> None:
    with Spool(desk.settings, resolve("servicenow", "incident")[1]) as spool:
        assert clean_spool(desk.settings) == 0 and spool.folder.exists()
    (desk.settings.spool_path / "extract-dead").mkdir()
    assert clean_spool(desk.settings) == 1
