"""One parse of the dbt project for all processes of a test run: twenty seconds once, not per warehouse.

dbt parses anew when the connection differs from that of the saved parse, and each test has a warehouse of its own. A
copy of the saved parse in which the connection's fingerprint is exchanged spares that; what dbt makes of it is checked
as ever (changed files are parsed again). Where the fingerprint is not found, nothing is lent and dbt parses.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pprint
import tempfile
from pathlib import Path

from dbt.adapters.duckdb.credentials import DuckDBCredentials

from dagster_project.lib.dbt_parse import ensure_parsed, project_fingerprint
from dagster_project.lib.environment import dbt_target_path
from ingestion.settings import Settings

SAVED = "partial_parse.msgpack"


def lend_parse(target_path: Path, warehouse_path: Path) -> None:
    """Put the project's parse, made once per state of the tree, where dbt and the console commands look for it."""
    folder = Path(tempfile.gettempdir()) / f"sltw-parse-{project_fingerprint()[:16]}"
    lender = folder / "warehouse.duckdb"
    if warehouse_path.stem != lender.stem:
        return  # the parse holds the database's name
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        settings = Settings.from_env({"WAREHOUSE_PATH": str(lender)})
        ensure_parsed(settings)
    lent_from = dbt_target_path(settings)
    saved = (lent_from / SAVED).read_bytes()
    lenders, borrowers = (connection_fingerprint(path) for path in (lender, warehouse_path.absolute()))
    held = target_path / SAVED
    if saved.count(lenders) != 1 or (held.exists() and borrowers in held.read_bytes()):
        return
    target_path.mkdir(parents=True, exist_ok=True)
    _write_whole(held, saved.replace(lenders, borrowers))
    for name in ("manifest.json", "parsed_from.sha256"):
        _write_whole(target_path / name, (lent_from / name).read_bytes())


def _write_whole(path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(content)
    part.rename(path)


def connection_fingerprint(warehouse_path: Path) -> bytes:
    """The fingerprint dbt keeps of a connection (dbt.parser.manifest, build_manifest_state_check)."""
    profile = {"path": str(warehouse_path), "schema": "core", "settings": {"TimeZone": "UTC"}}
    connection = sorted(DuckDBCredentials.from_dict(profile).connection_info())
    return hashlib.sha256(pprint.pformat(connection).encode()).hexdigest().encode()
