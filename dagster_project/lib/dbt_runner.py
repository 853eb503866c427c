"""dbt as a child process that holds the warehouse's dbt lock for its life.

DbtCliResource starts `dbt_with_lock`, which starts this module. A kill -9 of Dagster leaves the dbt child
running to its end; because the lock belongs to the child, the next run sees it and waits (see run_lock).
Importing this module is cheap on purpose: dagster-dbt asks for the version before each run.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
from pathlib import Path

# Commands that read files only; those that open the warehouse. An unknown word counts as one of the latter.
WITHOUT_WAREHOUSE = frozenset(("parse", "list", "ls", "deps", "clean", "debug", "init"))
WITH_WAREHOUSE = frozenset(
    (
        "build",
        "clone",
        "compile",
        "docs",
        "retry",
        "run",
        "run-operation",
        "seed",
        "show",
        "snapshot",
        "source",
        "test",
    )
)
DBT_EXECUTABLE = Path(__file__).with_name("dbt_with_lock")


def main(arguments: list[str]) -> int:
    """Run one dbt command; returns its exit code (dbt's own, or 75 when another dbt child holds the lock)."""
    if arguments == ["--version"]:
        sys.stdout.write(f"Core:\n  - installed: {importlib.metadata.version('dbt-core')}\n")
        return 0
    commands = WITHOUT_WAREHOUSE | WITH_WAREHOUSE  # flags of dbt itself, and their values, may come first
    command = next((word for word in arguments if word in commands), "command")
    if command in WITHOUT_WAREHOUSE:
        return _dbt(arguments)
    from dagster_project.lib.run_lock import WarehouseBusyError, dbt_lock_path, hold_for_life

    warehouse_path = Path(os.environ.get("WAREHOUSE_PATH") or "data/warehouse.duckdb").absolute()
    holder = {"what": f"dbt {command}, started by process {os.getppid()}", "parent_pid": os.getppid()}
    try:
        hold_for_life(dbt_lock_path(warehouse_path), holder)
    except WarehouseBusyError as error:
        sys.stderr.write(f"{error}\n")
        return os.EX_TEMPFAIL
    return _dbt(arguments)


def _dbt(arguments: list[str]) -> int:
    from dbt.cli.main import cli

    sys.argv = ["dbt", *arguments]
    try:
        cli()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
