"""One run writes at a time: who is refused, who is named, who is waited for."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.dbt_runner import DBT_EXECUTABLE
from dagster_project.lib.environment import REPO_ROOT
from dagster_project.lib.run_lock import (
    WarehouseBusyError,
    dbt_lock_path,
    hold,
    hold_run,
    holder_of,
    run_lock_path,
)

HOLD_UNTIL_KILLED = """
    import sys, time
    from pathlib import Path
    from dagster_project.lib.run_lock import hold
    with hold(Path(sys.argv[1]), {"what": sys.argv[2]}):
        print("held", flush=True)
        time.sleep(float(sys.argv[3]))
"""


def start_holder(path: Path, what: str, seconds: float = 600) -> subprocess.Popen:
    """A process that holds `path`; returns once it does."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLD_UNTIL_KILLED), str(path), what, str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPO_ROOT)},
    )
    assert process.stdout.readline() == "held\n"
    return process


@pytest.fixture
def warehouse(tmp_path):
    return tmp_path / "warehouse.duckdb"


def test_a_second_run_is_refused_and_told_who_holds_the_warehouse(warehouse):
    holder = start_holder(run_lock_path(warehouse), "run 4711 of job warehouse")
    try:
        with pytest.raises(WarehouseBusyError) as refused, hold_run(warehouse, "4712", "warehouse"):
            pass
        message = str(refused.value)
        assert "run 4711 of job warehouse" in message
        assert f"process {holder.pid}" in message
        assert "warehouse.duckdb is being written" in message
        assert holder_of(run_lock_path(warehouse))["pid"] == holder.pid
    finally:
        holder.kill()
        holder.wait()


def test_kill_9_frees_the_warehouse_at_once(warehouse):
    holder = start_holder(run_lock_path(warehouse), "run 1 of job warehouse")
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with hold_run(warehouse, "2", "warehouse"):
        assert holder_of(run_lock_path(warehouse))["run_id"] == "2"
    assert holder_of(run_lock_path(warehouse)) is None


def test_a_run_waits_for_the_dbt_child_that_a_killed_run_left_behind(warehouse):
    orphan = start_holder(dbt_lock_path(warehouse), "dbt build, started by process 99", seconds=1.5)
    told = []
    started = time.monotonic()
    with hold_run(warehouse, "2", "warehouse", tell=told.append):
        waited = time.monotonic() - started
        assert orphan.wait(timeout=5) == 0
    assert waited > 1
    assert len(told) == 1
    assert "dbt build, started by process 99" in told[0]
    assert f"process {orphan.pid}" in told[0]


def test_an_orphan_that_does_not_end_is_named_and_nothing_is_held_afterwards(warehouse):
    orphan = start_holder(dbt_lock_path(warehouse), "dbt build, started by process 99")
    try:
        with (
            pytest.raises(WarehouseBusyError, match=f"dbt build.*process {orphan.pid}"),
            hold_run(warehouse, "2", "warehouse", orphan_wait_seconds=0.3),
        ):
            pass
        assert holder_of(run_lock_path(warehouse)) is None
    finally:
        orphan.kill()
        orphan.wait()


def test_the_lock_is_free_after_an_error_inside(warehouse):
    with pytest.raises(ZeroDivisionError), hold(run_lock_path(warehouse), {"what": "a run"}):
        _ = 1 / 0
    assert holder_of(run_lock_path(warehouse)) is None
    assert run_lock_path(warehouse).exists()


def test_a_lock_for_life_outlasts_what_the_process_has_opened(warehouse):
    """The next writer must not come between the end of the work and the end of the process."""
    program = """
        import sys, time
        from pathlib import Path
        import duckdb
        from dagster_project.lib.run_lock import hold_for_life
        hold_for_life(Path(sys.argv[1]), {"what": "dbt build"})
        connection = duckdb.connect(sys.argv[2])
        connection.execute("create table t as select range from range(1000000)")
        print("working", flush=True)
        time.sleep(0.5)
    """
    for _ in range(3):
        warehouse.unlink(missing_ok=True)
        worker = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program), str(dbt_lock_path(warehouse)), str(warehouse)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(REPO_ROOT)},
        )
        assert worker.stdout.readline() == "working\n"
        with hold_run(warehouse, "2", "warehouse"), duckdb.connect(str(warehouse)) as connection:
            assert connection.execute("select count(*) from t").fetchone() == (1_000_000,)
        assert worker.wait(timeout=5) == 0


def test_dbt_refuses_to_start_beside_another_dbt_child(warehouse):
    orphan = start_holder(dbt_lock_path(warehouse), "dbt build, started by process 99")
    try:
        second = subprocess.run(
            [DBT_EXECUTABLE, "build"],
            env={**os.environ, "WAREHOUSE_PATH": str(warehouse), "SLTW_PYTHON": sys.executable},
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        orphan.kill()
        orphan.wait()
    assert second.returncode == os.EX_TEMPFAIL
    assert f"process {orphan.pid}" in second.stderr
    assert not warehouse.exists()


def test_dbt_gives_its_version_without_being_imported():
    answer = subprocess.run(
        [DBT_EXECUTABLE, "--version"],
        env={**os.environ, "SLTW_PYTHON": sys.executable, "PYTHONPROFILEIMPORTTIME": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "installed: 1.11." in answer.stdout
    assert "dbt.cli" not in answer.stderr
