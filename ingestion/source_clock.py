"""The clock of a source against ours, read from the Date header of its answers (RFC 9110, section 6.6.1).

A header cut to the second bounds the truth: the system wrote it between our sending and our receiving, and its
clock then stood within that second. Each answer gives an interval in which the offset (its clock less ours) must
lie; the intervals of an extract are intersected, so that many answers tell it to a fraction of a second. A proxy
that answers from a cache gives old dates: an answer with an Age is left out.

Delivers: SVC-3.4
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime


@dataclass
class SourceClock:
    """What the answers of one extract say: the offset is between low and high seconds (positive: theirs is ahead)."""

    reading_count: int = 0
    offset_low_seconds: float = float("-inf")
    offset_high_seconds: float = float("inf")

    def note(self, date_text: str | None, sent_at: float, received_at: float) -> None:
        """Take one answer into account; instants in epoch seconds by our clock. A date that is none is passed over."""
        if not date_text:
            return
        try:
            stamped_at = parsedate_to_datetime(date_text).timestamp()
        except (TypeError, ValueError, OverflowError):
            return
        self.reading_count += 1
        low, high = stamped_at - received_at, stamped_at + 1 - sent_at
        if max(low, self.offset_low_seconds) > min(high, self.offset_high_seconds):
            # their clock was set while we read (or ours): what it says now counts
            self.offset_low_seconds, self.offset_high_seconds = low, high
            return
        self.offset_low_seconds = max(low, self.offset_low_seconds)
        self.offset_high_seconds = min(high, self.offset_high_seconds)


_listening: ContextVar[SourceClock | None] = ContextVar("listening", default=None)


@contextlib.contextmanager
def listen() -> Iterator[SourceClock]:
    """Within the block every answer's date is noted."""
    clock = SourceClock()
    token = _listening.set(clock)
    try:
        yield clock
    finally:
        _listening.reset(token)


def note(headers: Mapping[str, str], sent_at: float, received_at: float) -> None:
    """Note an answer's date, if somebody listens."""
    clock = _listening.get()
    if clock is not None and not headers.get("Age"):
        clock.note(headers.get("Date"), sent_at, received_at)
