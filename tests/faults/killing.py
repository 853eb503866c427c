"""What the tests that kill a writer at random moments share: a child that waits for its start, and what was met."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 120.0


@dataclass
class Outcome:
    """How often a kill met nothing, a half-written folder, or one that stood; what was wrong, if anything."""

    met: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def start_child(module: str, arguments: tuple[str, ...], environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """A child that does its work once it is told to (see go)."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def go(child: subprocess.Popen[str]) -> None:
    """Let a child that is ready begin."""
    assert child.stdout is not None
    assert child.stdin is not None
    said = child.stdout.readline()
    assert said == "ready\n", (said, child.stderr.read() if child.stderr else "")
    child.stdin.write("go\n")
    child.stdin.flush()


# --- in the child ---


def wait_for_go() -> None:
    """Say that the child is ready, and wait."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()


def die(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(point: list[str], module: Any) -> None:
    """Set the moment of death: before the `rename` of a half-written folder, or before the `chain` is written.

    module: has HALF_WRITTEN and write_chain, as archive and payroll_folder have. Nothing else is replaced.
    """
    rename: Callable[[Path, Path], Path] = Path.rename
    write_chain: Callable[[Path, Any], None] = module.write_chain

    def dying_at_the_rename(path: Path, target: Path) -> Path:
        return die() if path.name.startswith(module.HALF_WRITTEN) else rename(path, target)

    def dying_before_the_chain(folder: Path, links: Any) -> None:
        return die() if links else write_chain(folder, links)

    if point == ["rename"]:
        Path.rename = dying_at_the_rename  # type: ignore[assignment]
    if point == ["chain"]:
        module.write_chain = dying_before_the_chain
