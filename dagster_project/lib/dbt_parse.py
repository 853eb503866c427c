"""The manifest of the dbt project, parsed when it is missing or any file it is made from has changed.

Cheap to import: a console command starts the parse before it imports the orchestrator, on the other core.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from dagster_project.lib.dbt_runner import DBT_EXECUTABLE
from dagster_project.lib.environment import DBT_PROJECT_DIR, SEEDS_DIR, dbt_target_path
from ingestion.settings import Settings

PROJECT_INPUTS = ("models", "macros", "tests", "snapshots", "analyses", "dbt_project.yml", "profiles.yml")


class DbtParseError(RuntimeError):
    """The dbt project does not parse: the message is dbt's own."""


def ensure_parsed(settings: Settings) -> Path:
    """The path of an up-to-date manifest. Several processes may ask at once: one parses, the others wait.

    Raises DbtParseError with what dbt said.
    """
    target = dbt_target_path(settings)
    manifest = target / "manifest.json"
    parsed_from = target / "parsed_from.sha256"
    fingerprint = project_fingerprint()

    def is_current() -> bool:
        return manifest.exists() and parsed_from.exists() and parsed_from.read_text() == fingerprint

    if is_current():
        return manifest
    target.mkdir(parents=True, exist_ok=True)
    with (target / "parse.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_current():
            parsed_from.unlink(missing_ok=True)
            _parse(settings, target)
            parsed_from.write_text(fingerprint)
    return manifest


def parse_meanwhile(settings: Settings) -> None:
    """Start `ensure_parsed` beside what the caller does next; whoever needs the manifest asks for it again."""

    def parse() -> None:
        try:
            ensure_parsed(settings)
        except DbtParseError:
            return  # said by the one who needs it

    threading.Thread(target=parse, name="dbt-parse", daemon=True).start()


def child_environment(target: Path) -> dict[str, str]:
    """The environment of a dbt child that is started without dagster-dbt."""
    return {
        **os.environ,
        "SLTW_PYTHON": sys.executable,
        "DBT_TARGET_PATH": str(target),
        "DBT_LOG_PATH": str(target),
        "DBT_PROFILES_DIR": str(DBT_PROJECT_DIR),
        "DBT_PROJECT_DIR": str(DBT_PROJECT_DIR),
    }


def _parse(settings: Settings, target: Path) -> None:
    done = subprocess.run(
        [DBT_EXECUTABLE, "--quiet", "--no-use-colors", "parse"],
        env={**child_environment(target), "WAREHOUSE_PATH": str(settings.warehouse_path.absolute())},
        cwd=DBT_PROJECT_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DbtParseError(f"the dbt project in {DBT_PROJECT_DIR} does not parse:\n{done.stdout.strip()}")


def project_fingerprint() -> str:
    """A digest of the name, size and time of every file the manifest is made from."""
    digest = hashlib.sha256()
    for path in sorted(_inputs()):
        stat = path.stat()
        digest.update(f"{path}|{stat.st_size}|{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _inputs() -> Iterator[Path]:
    for root in (*(DBT_PROJECT_DIR / name for name in PROJECT_INPUTS), SEEDS_DIR):
        if root.exists():
            yield from (path for path in (root.rglob("*") if root.is_dir() else (root,)) if path.is_file())
