"""Close one period in a process of its own, to be killed: says `ready`, waits for a line, closes, says `closed`.

    python -m tests.faults.close_in_child 2024-Q3 [point]

point: `rename` or `chain`, to die by SIGKILL just before that step; nothing is replaced but the moment of death.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dagster_project.lib import archive
from dagster_project.lib.close import close_period
from dagster_project.lib.environment import settle_environment


def die(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def dying_at_the_rename(path: Path, target: Path, real: Callable[[Path, Path], Path] = Path.rename) -> Path:
    return die() if path.name.startswith(archive.HALF_WRITTEN) else real(path, target)


def dying_before_the_chain(folder: Path, links: Any, real: Callable[[Path, Any], None] = archive.write_chain) -> None:
    return die() if links else real(folder, links)


def main() -> None:
    period, *point = sys.argv[1:]
    settings = settle_environment()
    if point == ["rename"]:
        Path.rename = dying_at_the_rename  # type: ignore[assignment]
    if point == ["chain"]:
        archive.write_chain = dying_before_the_chain
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    close_period(settings, period)
    sys.stdout.write("closed\n")


if __name__ == "__main__":
    main()
