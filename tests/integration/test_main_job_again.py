"""Running again: on what is there, after a backfill, and after a kill -9 in the middle of dbt.

One warehouse is taken through all of it, by the console command as an operator would; the tests then look at
what was said and what came of it. It is compared with the warehouse of the undisturbed run.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from dagster_project.lib.dbt_project import load_project
from dagster_project.lib.environment import REPO_ROOT
from dagster_project.lib.instance import open_instance
from dagster_project.lib.publish import marts
from dagster_project.lib.run_lock import WarehouseBusyError, dbt_lock_path, hold_run, holder_of, run_lock_path
from ingestion.settings import Settings
from tests.conftest import DemoWarehouse, paths_environment

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

DAYS = [f"2025-03-{day}" for day in (29, 30, 31)]
DEADLINE_SECONDS = 900
# Marts that tell of the runs themselves: of the landing, batch by batch and answer by answer, to which a backfill adds
# its own; of what is held since when; of what the gates said of the run before, which the undisturbed one had not.
TELL_OF_RUNS = (
    "dim_extract_batch",
    "fct_slt_trace",
    "flag_clock_skew",
    "rec_itsm_entity",
    "rpt_framework_coverage",
    "rpt_retention",
    "rpt_sox_control_evidence",
    "rpt_source_drift",
    "rpt_source_sla",
)


def sltw(environment: dict[str, str], *arguments: str) -> subprocess.Popen:
    """The console command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "dagster_project.cli", *arguments],
        cwd=REPO_ROOT,
        env={**os.environ, **environment, "PYTHONPATH": str(REPO_ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(what: str, condition: Callable[[], object], process: subprocess.Popen) -> object:
    """Poll until the condition gives something; fails when the process ends first or time is up."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        if process.poll() is not None:
            pytest.fail(f"ended before {what}:\n{process.stdout.read()}")
        time.sleep(0.02)
    process.kill()
    pytest.fail(f"waited {DEADLINE_SECONDS} s for {what}")


@dataclass(frozen=True)
class Story:
    """What happened to the warehouse, in order."""

    folder: Path
    environment: dict[str, str]
    backfill_output: str
    refusal: str
    killed_pid: int
    child_pid: int
    child_outlived_its_parent: bool
    output: str
    exit_code: int

    @property
    def warehouse_path(self) -> Path:
        return self.folder / "warehouse.duckdb"


@pytest.fixture(scope="module")
def story(demo_warehouse: DemoWarehouse, tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("again") / "demo"
    shutil.copytree(demo_warehouse.folder, folder)
    environment = {**demo_warehouse.environment, **paths_environment(folder)}
    path = folder / "warehouse.duckdb"

    backfill = sltw(environment, "backfill", "--from", DAYS[0], "--to", DAYS[-1])
    backfill_output, _ = backfill.communicate(timeout=DEADLINE_SECONDS)
    assert backfill.returncode == 0, backfill_output

    run = sltw(environment, "run")
    dbt = dbt_lock_path(path)

    def dbt_child() -> dict | None:
        holder = holder_of(dbt)
        return holder if holder and holder.get("what", "").startswith("dbt build") else None

    first = wait_for("the first dbt command", dbt_child, run)
    with pytest.raises(WarehouseBusyError) as refused, hold_run(path, "other", "warehouse"):
        pass
    child = wait_for(
        "the dbt command of the marts",
        lambda: (holder := dbt_child()) and holder["pid"] != first["pid"] and holder,
        run,
    )
    wait_for("its first tables", lambda: "core.int_" in _log_of(folder), run)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    outlived = holder_of(run_lock_path(path)) is None and (holder_of(dbt) or {}).get("pid") == child["pid"]

    # held still until the next run has met it, so that a slow machine does not decide what is tested
    os.kill(child["pid"], signal.SIGSTOP)
    try:
        again = sltw(environment, "run")
        output = ""
        while "waiting for" not in output and (line := again.stdout.readline()):
            output += line
    finally:
        os.kill(child["pid"], signal.SIGCONT)
    output += again.communicate(timeout=DEADLINE_SECONDS)[0]
    return Story(
        folder,
        environment,
        backfill_output,
        str(refused.value),
        run.pid,
        child["pid"],
        outlived,
        output,
        again.returncode,
    )


def _log_of(folder: Path) -> str:
    """What dbt has logged of its last command."""
    path = folder / "warehouse_state" / "dbt" / "dbt.log"
    return path.read_text(errors="replace").rpartition("Running with dbt=")[2] if path.exists() else ""


def test_a_second_run_is_refused_while_the_first_writes(story):
    assert re.search(rf"run [0-9a-f-]+ of job warehouse \(process {story.killed_pid} on ", story.refusal)


def test_the_dbt_child_outlives_a_killed_run_and_the_next_run_waits_for_it(story):
    assert story.child_outlived_its_parent
    assert f"waiting for dbt build, started by process {story.killed_pid} (process {story.child_pid} " in story.output


def test_the_run_after_the_kill_succeeds_and_lands_nothing_new(story):
    assert story.exit_code == 0, story.output
    last = story.output.strip().splitlines()[-1]
    assert last.startswith("run: 0 batches and 0 rows landed"), last


def test_every_mart_is_as_the_undisturbed_run_left_it(story, demo_warehouse):
    """A backfill, a run that was killed half-way and one on top: not one row or figure differs."""
    manifest = load_project(Settings.from_env(demo_warehouse.environment)).manifest
    with duckdb.connect() as connection:
        connection.execute(f"attach '{demo_warehouse.warehouse_path}' as undisturbed (read_only)")
        connection.execute(f"attach '{story.warehouse_path}' as again (read_only)")
        for node in marts(manifest):
            if node["name"] in TELL_OF_RUNS:
                continue
            table = f'"{node["schema"]}"."{node["alias"]}"'
            columns = ", ".join(f'"{name}"' for name in node["columns"] if name != "batch_id")
            difference = connection.execute(
                f"with a as (select {columns} from undisturbed.{table}), b as (select {columns} from again.{table}) "
                "select (select count(*) from a), (select count(*) from (from a except all from b)), "
                "(select count(*) from (from b except all from a))"
            ).fetchone()
            assert difference[0] > 0, table
            assert difference[1:] == (0, 0), table


def test_a_backfill_extracts_each_day_again_and_says_so(story):
    last = story.backfill_output.strip().splitlines()[-1]
    assert re.match(rf"backfill: {DAYS[0]} to {DAYS[-1]}, 17 entities: \d+ new batches with [\d,]+ rows; ", last)
    with duckdb.connect(str(story.warehouse_path), read_only=True) as connection:
        batches = connection.execute(
            "select source, entity, partition_key from landing.extract_batch "
            f"where partition_key like '{DAYS[0]}%' order by all"
        ).fetchall()
    assert batches == [
        (source, entity, f"{DAYS[0]}/{DAYS[-1]}")
        for source, entity in (
            ("datadog", "monitor_transition"),
            ("datadog", "rum_event"),
            ("datadog", "synthetic_result"),
            ("jira", "issue"),
            ("jira", "issue_changelog"),
            ("servicenow", "change_request"),
            ("servicenow", "incident"),
            ("servicenow", "sys_audit"),
            ("servicenow", "task_sla"),
        )
    ]


def test_dagster_shows_the_backfill_on_each_day(story):
    with open_instance(story.folder / "dagster_home") as instance:
        runs = {run.job_name: run.run_id for run in instance.get_runs()}
        latest = {
            record.asset_materialization.partition: record.event_log_entry.run_id
            for record in reversed(
                instance.fetch_materializations(
                    dg.AssetRecordsFilter(dg.AssetKey(["servicenow", "incident"]), asset_partitions=DAYS),
                    limit=50,
                ).records
            )
        }
    assert latest == dict.fromkeys(DAYS, runs["re_extract_daily"])


def test_the_summary_tells_what_a_person_wants_to_know(story):
    for part in (
        "Landed",
        "gate raw: open",
        "gate staging: open",
        "gate marts: open",
        "SLT attainment",
        "incident_resolution",
        "Payouts by team",
        "sd-emea",
        "rec_payout_to_payroll: matched",
        "make dagster",
        "bi.duckdb",
    ):
        assert part in story.output, part


def test_the_new_files_are_published(story):
    with open_instance(story.folder / "dagster_home") as instance:
        succeeded = [run.run_id for run in instance.get_runs() if run.is_success and run.job_name == "warehouse"]
    with duckdb.connect(str(story.folder / "published" / "bi.duckdb"), read_only=True) as connection:
        ((run_id,),) = connection.execute("select publishing_run_id from published.about").fetchall()
    assert run_id == succeeded[0]
