"""The lock of metric definitions: the hash each version had when it was approved.

    python -m dagster_project.lib.metric_lock            # says which versions have no lock yet, which differ
    python -m dagster_project.lib.metric_lock --write    # appends the new ones to the seed

Run it after `dbt build --select int_metric_definition`, with WAREHOUSE_PATH set. It never rewrites a line: a version
whose content or code has changed is refused, and the command ends with 1.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

LOCK_PATH = Path(__file__).resolve().parents[2] / "seeds" / "metrics" / "metric_definition_lock.csv"
COLUMNS = ("metric_code", "metric_version", "definition_hash")
Key = tuple[str, int]


@dataclass(frozen=True)
class LockState:
    """How definitions stand to their lock: new ones, ones that changed (locked hash, present hash), ones gone."""

    new: dict[Key, str]
    changed: dict[Key, tuple[str, str]]
    gone: tuple[Key, ...]


def read_lock(path: Path = LOCK_PATH) -> dict[Key, str]:
    """The locked hash by (metric_code, metric_version). ValueError where a version is locked twice."""
    found: dict[Key, str] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), start=2):
            key = (row["metric_code"], int(row["metric_version"]))
            if key in found:
                raise ValueError(f"{path.name}, line {number}: {key[0]} version {key[1]} is locked twice")
            found[key] = row["definition_hash"]
    return found


def computed_hashes(warehouse_path: Path) -> dict[Key, str]:
    """The hash of every definition version as the warehouse computes it."""
    with duckdb.connect(str(warehouse_path), read_only=True) as connection:
        rows = connection.execute(
            "select metric_code, metric_version, definition_hash from core.int_metric_definition"
        ).fetchall()
    return {(code, version): fingerprint for code, version, fingerprint in rows}


def compare(locked: Mapping[Key, str], computed: Mapping[Key, str]) -> LockState:
    """Definitions against their lock."""
    return LockState(
        new={key: computed[key] for key in sorted(computed.keys() - locked.keys())},
        changed={
            key: (locked[key], computed[key])
            for key in sorted(locked.keys() & computed.keys())
            if locked[key] != computed[key]
        },
        gone=tuple(sorted(locked.keys() - computed.keys())),
    )


def append(new: Mapping[Key, str], path: Path = LOCK_PATH) -> None:
    """Write the new versions behind the lines that stand; those stay as they are, byte for byte."""
    with path.open("a", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerows((code, version, fingerprint) for (code, version), fingerprint in new.items())


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where every version is locked as it is (or was just locked), 1 where something is to be done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="append versions that have no lock yet")
    parser.add_argument("--lock", type=Path, default=LOCK_PATH, help="the seed to read and append to")
    given = parser.parse_args(arguments)
    if "WAREHOUSE_PATH" not in os.environ:
        parser.error("WAREHOUSE_PATH is not set: name the warehouse that holds core.int_metric_definition")
    state = compare(read_lock(given.lock), computed_hashes(Path(os.environ["WAREHOUSE_PATH"])))
    for (code, version), (locked, computed) in state.changed.items():
        _say(
            f"changed: {code} version {version} is locked as {locked} and computes as {computed}: put its seeds or "
            f"macros/metrics back as they were, or give the change a new version"
        )
    for code, version in state.gone:
        _say(f"gone: {code} version {version} is locked and defined nowhere: put it back; old versions stay")
    if given.write and not state.changed and not state.gone:
        append(state.new, given.lock)
    for code, version in state.new:
        _say(f"{'locked' if given.write and not state.changed and not state.gone else 'new'}: {code} version {version}")
    is_settled = not state.changed and not state.gone and (given.write or not state.new)
    return 0 if is_settled else 1


if __name__ == "__main__":
    sys.exit(main())
