"""The screen of a console command: progress lines on it, everything else in a log file.

Dagster, dbt and Great Expectations print a great deal, partly from child processes and while Dagster itself has
turned file descriptors 1 and 2 elsewhere. So the descriptors are pointed at the log file and the screen is kept
under a descriptor of its own.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.text import Text

TAIL_LINES = 25
PIPE_WIDTH = 140


class Screen:
    """Progress and results for a person; usable as a progress listener."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._started = time.monotonic()
        self.lines: list[str] = []

    @classmethod
    def plain(cls) -> Screen:
        """A screen on standard output as it is; wide enough for any table where it is no terminal."""
        return cls(Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH))

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the command started."""
        return time.monotonic() - self._started

    def line(self, text: str) -> None:
        """One progress line with the time elapsed before it."""
        self.lines.append(text)
        style = "bold" if text.startswith(("gate ", "published ")) else ""
        if "CLOSED" in text or "REJECTED" in text or "MISSING" in text or "warning" in text:
            style = "yellow"
        stamp = Text(f"{self.elapsed_seconds:7.1f} s  ", style="dim")
        self.console.print(stamp + Text(text, style=style), soft_wrap=True)

    def say(self, text: str = "") -> None:
        """Plain text."""
        self.console.print(Text(text), soft_wrap=True)

    def error(self, text: str) -> None:
        """An error, set apart."""
        self.console.print(Text(text, style="red"), soft_wrap=True)

    def heading(self, text: str) -> None:
        """The start of a block of results."""
        self.console.print()
        self.console.print(f"[bold]{escape(text)}[/bold]")


@contextlib.contextmanager
def quiet(logs_path: Path, command: str) -> Iterator[tuple[Screen, Path]]:
    """Lend the screen and the log file's path; whatever else is printed meanwhile goes to that file.

    A command that raises shows the last lines of the log before the error goes on its way.
    """
    logs_path.mkdir(parents=True, exist_ok=True)
    log_path = logs_path / f"{command}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}.log"
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {1: os.dup(1), 2: os.dup(2)}
    is_terminal = sys.stdout.isatty()
    with os.fdopen(os.dup(kept[1]), "w", encoding="utf-8", buffering=1) as out:
        console = Console(file=out, force_terminal=is_terminal, highlight=False)
        screen = Screen(console)
        log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        try:
            yield screen, log_path
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            logging.shutdown()
            for descriptor, original in kept.items():
                os.dup2(original, descriptor)
                os.close(original)


def tail(path: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log file."""
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
