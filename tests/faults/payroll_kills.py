"""Payroll exports that are killed at random moments: never a double line, never half an export, and the next works.

    python -m tests.faults.payroll_kills --runs 50 --payment-period 2025-04 --country IE

The warehouse is only read. Each run exports into a folder of its own, in a child that is killed by SIGKILL at a moment
drawn over the time an export takes; then the folder is verified and the export done again by the same function. A run
counts by where the kill met it: before anything was there, in the middle of it, or when the export stood.
"""

from __future__ import annotations

import argparse
import csv
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from random import Random

from dagster_project.lib import payroll_folder
from dagster_project.lib.archive import ArchiveError
from dagster_project.lib.payroll_export import (
    LEDGER_FILE,
    PAYROLL_FILE,
    ExportRefusedError,
    export_payroll,
    exported_lines,
)
from dagster_project.lib.payroll_folder import HALF_WRITTEN
from ingestion.settings import Settings
from tests.faults import killing
from tests.faults.killing import WAIT_SECONDS, Outcome, go


def start_child(settings: Settings, place: tuple[str, str], *point: str) -> subprocess.Popen[str]:
    """A child that exports once it is told to."""
    paths = {
        "WAREHOUSE_PATH": str(settings.warehouse_path),
        "PAYROLL_EXPORT_PATH": str(settings.payroll_export_path),
    }
    return killing.start_child("tests.faults.payroll_in_child", (*place, *point), paths)


def content(folder: Path) -> dict[str, list[list[str]]]:
    """What all exports of a folder hand over: file -> its rows, heads left out."""
    found: dict[str, list[list[str]]] = {PAYROLL_FILE: [], LEDGER_FILE: []}
    for name in found:
        for path in sorted(folder.glob(f"*/*/*/{name}")):
            with path.open(encoding="utf-8", newline="") as file:
                found[name] += list(csv.reader(file))[1:]
    return found


def look(
    settings: Settings, place: tuple[str, str], due: dict[str, list[list[str]]], outcome: Outcome, what: str
) -> None:
    """After a kill: half an export is nowhere, and the same command exports or says it is done, each line once."""
    folder = settings.payroll_export_path
    name = f"{place[0]}/{place[1]}/1"
    stands = (folder / name).exists()
    left = list(folder.glob(f"{HALF_WRITTEN}*")) if folder.exists() else []
    outcome.met["stood exported" if stands else "half-written beside its place" if left else "nothing there"] += 1
    seen = payroll_folder.verify(folder)
    if seen.findings or seen.periods != ([name] if stands else []):
        outcome.faults.append(f"{what}: {[str(finding) for finding in seen.findings]}, {seen.periods}")
    try:
        export_payroll(settings, *place)
        if stands:
            outcome.faults.append(f"{what}: exported twice")
    except (ArchiveError, ExportRefusedError) as error:
        if not (stands and isinstance(error, ExportRefusedError) and error.is_done):
            outcome.faults.append(f"{what}: the next export failed: {error}")
    after = payroll_folder.verify(folder)
    if after.findings or [link.period for link in payroll_folder.read_chain(folder)] != [name]:
        outcome.faults.append(f"{what}: after the next export {[str(finding) for finding in after.findings]}")
    if content(folder) != due:
        outcome.faults.append(f"{what}: what was handed over is not each line once")
    if not stands and any(folder.glob(f"{HALF_WRITTEN}*")):
        outcome.faults.append(f"{what}: the next export left the half-written folder of the killed one")


def kill_exports(warehouse_path: Path, folder: Path, place: tuple[str, str], runs: int, seed: int) -> Outcome:
    """Kill `runs` exports at random moments, and one at each point where order matters."""
    outcome = Outcome()
    random = Random(seed)
    base = Settings(warehouse_path, folder / "published", folder / "spool", archive_path=folder / "archive")
    settings = [replace(base, payroll_export_path=folder / f"export-{number}") for number in range(runs + 4)]
    undisturbed = start_child(settings[0], place)
    go(undisturbed)
    started = time.monotonic()
    out, err = undisturbed.communicate(timeout=WAIT_SECONDS)
    seconds = time.monotonic() - started
    assert out == "exported\n", err
    due = content(settings[0].payroll_export_path)
    links = payroll_folder.read_chain(settings[0].payroll_export_path)
    assert len(exported_lines(settings[0].payroll_export_path, links)) == len(due[LEDGER_FILE]) > 0
    for point, at in (("rename", settings[1]), ("chain", settings[2])):
        child = start_child(at, place, point)
        go(child)
        assert child.wait(WAIT_SECONDS) == -signal.SIGKILL
        look(at, place, due, outcome, f"killed before the {point}")
    for number, at in enumerate(settings[4:], start=1):
        child = start_child(at, place)
        delay = random.uniform(0.0, 1.1 * seconds)
        go(child)
        time.sleep(delay)
        child.kill()
        child.communicate(timeout=WAIT_SECONDS)
        look(at, place, due, outcome, f"run {number}, killed after {delay:.3f} s")
    return outcome


def main() -> int:
    """Run from the command line; the last line is the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--warehouse", type=Path, default=Path("data/warehouse.duckdb"))
    parser.add_argument("--payment-period", default="2025-04")
    parser.add_argument("--country", default="IE")
    given = parser.parse_args()
    if not given.warehouse.exists():
        sys.stderr.write(f"payroll-faults: {given.warehouse} does not exist: run `make demo` first\n")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        place = given.payment_period, given.country
        outcome = kill_exports(given.warehouse.absolute(), Path(folder), place, given.runs, given.seed)
    for fault in outcome.faults:
        sys.stderr.write(f"{fault}\n")
    met = ", ".join(f"{count} {what}" for what, count in outcome.met.most_common())
    sys.stdout.write(
        f"payroll-faults: {given.runs + 2} exports killed ({met}), {len(outcome.faults)} left half an export, a double "
        "line or an export that would not work\n"
    )
    return int(bool(outcome.faults))


if __name__ == "__main__":
    sys.exit(main())
