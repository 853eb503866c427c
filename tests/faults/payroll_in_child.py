"""Export one month and country in a process of its own, to be killed: says `ready`, waits for a line, exports, says so.

    python -m tests.faults.payroll_in_child 2025-04 IE [point]

point: `rename` or `chain`, to die by SIGKILL just before that step; nothing is replaced but the moment of death.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dagster_project.lib import payroll_folder
from dagster_project.lib.environment import settle_environment
from dagster_project.lib.payroll_export import export_payroll


def die(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def dying_at_the_rename(path: Path, target: Path, real: Callable[[Path, Path], Path] = Path.rename) -> Path:
    return die() if path.name.startswith(payroll_folder.HALF_WRITTEN) else real(path, target)


def dying_before_the_chain(
    folder: Path, links: Any, real: Callable[[Path, Any], None] = payroll_folder.write_chain
) -> None:
    return die() if links else real(folder, links)


def main() -> None:
    payment_period, country_code, *point = sys.argv[1:]
    settings = settle_environment()
    if point == ["rename"]:
        Path.rename = dying_at_the_rename  # type: ignore[assignment]
    if point == ["chain"]:
        payroll_folder.write_chain = dying_before_the_chain
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    export_payroll(settings, payment_period, country_code)
    sys.stdout.write("exported\n")


if __name__ == "__main__":
    main()
