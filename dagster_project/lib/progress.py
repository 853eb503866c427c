"""Progress lines for whoever watches a run.

Steps call `say`; each line goes to the run's log and, when a console command has set a listener, to its screen.
One process runs one job at a time (in_process_executor), so one listener per process is enough.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator

_listener: Callable[[str], None] | None = None


def say(log: logging.Logger, line: str) -> None:
    """Log a progress line and show it to the listener, if there is one."""
    log.info(line)
    if _listener is not None:
        _listener(line)


def show(line: str) -> None:
    """Show a line to the listener alone."""
    if _listener is not None:
        _listener(line)


@contextlib.contextmanager
def listening(listener: Callable[[str], None]) -> Iterator[None]:
    """Send progress lines to `listener` while the block runs."""
    global _listener
    before, _listener = _listener, listener
    try:
        yield
    finally:
        _listener = before
