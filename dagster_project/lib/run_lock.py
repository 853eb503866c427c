"""One run writes at a time: a file lock around the whole run that says who holds it.

Two lock files stand beside the warehouse: `<warehouse>.lock` is held by the process of a run, and
`<warehouse>.dbt.lock` by the dbt child for its life (see dbt_runner). After a kill -9 of the run the first is
free at once while the child may still be writing: the next run takes the first and then waits for the second.
The kernel frees both when their holder ends, so nothing is ever left to clear by hand. The files themselves
stay: unlinking a lock file lets two processes hold two different ones.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

POLL_SECONDS = 0.1
# Whoever only looks who holds a lock takes it for a moment: nobody is refused for that.
GRACE_SECONDS = 0.5
ORPHAN_WAIT_SECONDS = 900.0
LAST_DESCRIPTORS = 200


class WarehouseBusyError(RuntimeError):
    """Another process writes this warehouse: the message names it and how to mend it."""


def run_lock_path(warehouse_path: Path) -> Path:
    """The lock file of the run."""
    return warehouse_path.with_name(warehouse_path.name + ".lock")


def dbt_lock_path(warehouse_path: Path) -> Path:
    """The lock file of the dbt child."""
    return warehouse_path.with_name(warehouse_path.name + ".dbt.lock")


@contextlib.contextmanager
def hold(
    path: Path,
    holder: dict[str, Any],
    wait_seconds: float = 0.0,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[None]:
    """Hold the lock file `path` for the duration of the block, with `holder` (JSON) written inside.

    Waits up to `wait_seconds`, telling once whom it waits for. Raises WarehouseBusyError naming the holder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        _acquire(file, path, wait_seconds, tell)
        _write(file, {**holder, "pid": os.getpid(), "host": socket.gethostname(), "started_at": _now()})
        try:
            yield
        finally:
            _write(file, None)
            fcntl.flock(file, fcntl.LOCK_UN)


def hold_for_life(path: Path, holder: dict[str, Any]) -> None:
    """Hold the lock file until this process has ended, whatever ends it. Raises WarehouseBusyError.

    Giving it back earlier would be too early: DuckDB lets go of the warehouse only when the process is gone. The
    kernel closes descriptors from the lowest up, so the lock gets a high one and is freed after the warehouse.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        _acquire(file, path, 0.0, lambda _: None)
        _write(file, {**holder, "pid": os.getpid(), "host": socket.gethostname(), "started_at": _now()})
        fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, LAST_DESCRIPTORS)


@contextlib.contextmanager
def hold_run(
    warehouse_path: Path,
    run_id: str,
    job_name: str,
    wait_seconds: float = 0.0,
    orphan_wait_seconds: float = ORPHAN_WAIT_SECONDS,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[None]:
    """Hold the warehouse for one run, after any dbt child that a killed run left behind has ended.

    Raises WarehouseBusyError naming the other run, or the orphaned dbt child that would not end in time.
    """
    holder = {"what": f"run {run_id} of job {job_name}", "run_id": run_id, "job_name": job_name}
    with hold(run_lock_path(warehouse_path), holder, wait_seconds, tell):
        with hold(dbt_lock_path(warehouse_path), {"what": "a look for orphans"}, orphan_wait_seconds, tell):
            pass
        yield


def holder_of(path: Path) -> dict[str, Any] | None:
    """Who holds the lock file now, or None when it is free."""
    try:
        with path.open("r", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _read(file)
            fcntl.flock(file, fcntl.LOCK_UN)
            return None
    except FileNotFoundError:
        return None


def describe(holder: dict[str, Any]) -> str:
    """One line that names a holder."""
    return (
        f"{holder.get('what', 'an unknown process')} (process {holder.get('pid', '?')} "
        f"on {holder.get('host', '?')}, since {holder.get('started_at', '?')})"
    )


def _acquire(file: IO[str], path: Path, wait_seconds: float, tell: Callable[[str], None]) -> None:
    started = time.monotonic()
    has_told = False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            waited = time.monotonic() - started
            if waited < GRACE_SECONDS:
                time.sleep(POLL_SECONDS)
                continue
            name = describe(_read(file) or {})
            if waited >= wait_seconds:
                warehouse = path.name.removesuffix(".lock").removesuffix(".dbt")
                raise WarehouseBusyError(
                    f"{warehouse} is being written by {name}. One run writes at a time: wait for it to end, "
                    f"or end that process, then start again. Lock file: {path}"
                ) from None
            if not has_told:
                tell(f"waiting for {name}")
                has_told = True
            time.sleep(POLL_SECONDS)


def _read(file: IO[str]) -> dict[str, Any] | None:
    file.seek(0)
    with contextlib.suppress(json.JSONDecodeError):
        content = json.loads(file.read() or "{}")
        return content if isinstance(content, dict) else None
    return None


def _write(file: IO[str], content: dict[str, Any] | None) -> None:
    file.seek(0)
    file.truncate()
    if content is not None:
        file.write(json.dumps(content))
    file.flush()


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
