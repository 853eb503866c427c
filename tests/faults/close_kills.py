"""Closes that are killed at random moments: never half an archive, and the next close works.

    python -m tests.faults.close_kills --runs 50 --warehouse data/warehouse.duckdb

The warehouse is only read. Each run closes into an archive of its own, in a child that is killed by SIGKILL at a moment
drawn over the time a close takes; then the archive is verified and the close done again. A run counts by where the kill
met it: before anything was there, in the middle of it, or when the period stood.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from dagster_project.lib import archive, archive_content
from dagster_project.lib.archive import HALF_WRITTEN, ArchiveError
from dagster_project.lib.close import close_period
from dagster_project.lib.run_lock import run_lock_path
from ingestion.settings import Settings
from tests.faults import killing
from tests.faults.killing import WAIT_SECONDS, Outcome, go

PERIOD = "2024-Q3"


def start_child(settings: Settings, *point: str) -> subprocess.Popen[str]:
    """A child that closes PERIOD once it is told to."""
    paths = {"WAREHOUSE_PATH": str(settings.warehouse_path), "ARCHIVE_PATH": str(settings.archive_path)}
    return killing.start_child("tests.faults.close_in_child", (PERIOD, *point), paths)


def close_seconds(settings: Settings) -> float:
    """How long a close takes in a child that nobody kills."""
    child = start_child(settings)
    go(child)
    started = time.monotonic()
    out, err = child.communicate(timeout=WAIT_SECONDS)
    assert out == "closed\n", err
    return time.monotonic() - started


def look(settings: Settings, outcome: Outcome, what: str) -> None:
    """After a kill: half of a period is nowhere, and the next close closes it or says that it is closed."""
    folder = settings.archive_path
    stands = (folder / PERIOD).exists()
    left = list(folder.glob(f"{HALF_WRITTEN}*")) if folder.exists() else []
    outcome.met["stood closed" if stands else "half-written beside its place" if left else "nothing there"] += 1
    seen = archive.verify(folder)
    if seen.findings or seen.periods != ([PERIOD] if stands else []):
        outcome.faults.append(f"{what}: {[str(finding) for finding in seen.findings]}, {seen.periods}")
    try:
        close_period(settings, PERIOD)
        if stands:
            outcome.faults.append(f"{what}: closed twice")
    except ArchiveError as error:
        if not stands or "once only" not in str(error):
            outcome.faults.append(f"{what}: the next close failed: {error}")
    links = archive.read_chain(folder)
    after = archive.verify(folder)
    if after.findings or [link.period for link in links] != [PERIOD]:
        outcome.faults.append(f"{what}: after the next close {[str(finding) for finding in after.findings]}")
    elif archive_content.recompute(folder, links[0]).differences:
        outcome.faults.append(f"{what}: what was closed does not come out again")
    if not stands and any(folder.glob(f"{HALF_WRITTEN}*")):
        outcome.faults.append(f"{what}: the next close left the half-written folder of the killed one")


def kill_closes(warehouse_path: Path, folder: Path, runs: int, seed: int) -> Outcome:
    """Kill `runs` closes at random moments, and one at each point where order matters."""
    outcome = Outcome()
    random = Random(seed)
    settings = [
        Settings(warehouse_path, folder / "published", folder / "spool", archive_path=folder / f"archive-{number}")
        for number in range(runs + 3)
    ]
    seconds = close_seconds(settings[0])
    for point, place in (("rename", settings[1]), ("chain", settings[2])):
        child = start_child(place, point)
        go(child)
        assert child.wait(WAIT_SECONDS) == -signal.SIGKILL
        look(place, outcome, f"killed before the {point}")
    following = start_child(settings[3])
    for number, place in enumerate(settings[3:], start=1):
        child = following
        if number < runs:
            following = start_child(settings[3 + number])  # starts up while this one works
        # most of the time of a close is spent on the folder: moments are drawn over all of it, and a little beyond
        delay = random.uniform(0.0, 1.1 * seconds)
        go(child)
        time.sleep(delay)
        child.kill()
        child.communicate(timeout=WAIT_SECONDS)
        look(place, outcome, f"run {number}, killed after {delay:.3f} s")
    assert run_lock_path(warehouse_path).exists()
    return outcome


def main() -> int:
    """Run from the command line; the last line is the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--warehouse", type=Path, default=Path("data/warehouse.duckdb"))
    given = parser.parse_args()
    if not given.warehouse.exists():
        sys.stderr.write(f"close-faults: {given.warehouse} does not exist: run `make demo` first\n")
        return 2
    with tempfile.TemporaryDirectory() as place:
        outcome = kill_closes(given.warehouse.absolute(), Path(place), given.runs, given.seed)
    for fault in outcome.faults:
        sys.stderr.write(f"{fault}\n")
    met = ", ".join(f"{count} {what}" for what, count in outcome.met.most_common())
    sys.stdout.write(
        f"close-faults: {given.runs + 2} closes killed ({met}), {len(outcome.faults)} left half an archive or a close "
        "that would not work\n"
    )
    return int(bool(outcome.faults))


if __name__ == "__main__":
    sys.exit(main())
