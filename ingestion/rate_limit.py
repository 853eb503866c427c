"""How many requests a system lets us make: kept per system, shared by all that ask it in this process.

Two limits hold at once: what the system says with each answer (X-RateLimit-Remaining and -Reset, Retry-After with
a 429), and a maximum we state ourselves. Who has nothing left waits; nothing fails for want of patience. A system
that keeps several limits names them (X-RateLimit-Name, as Datadog does); each is kept apart, and an endpoint
belongs to the one it was last answered with.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.util import Retry

from ingestion.contracts import SourceError

PERIOD_SECONDS = 60.0
# A reset that large is an instant in epoch seconds (ServiceNow), a smaller one the seconds until then (Datadog).
SMALLEST_EPOCH = 1_000_000_000


class RequestBudget:
    """What may still be asked of one system. Safe for many threads.

    `take` before a request says how long to wait first; whoever has waited so long may go. `note` after it keeps
    what the answer said.
    """

    def __init__(self, max_requests_per_minute: int | None = None) -> None:
        self.max_requests_per_minute = max_requests_per_minute
        self._lock = threading.Lock()
        self._sent: deque[float] = deque()
        self._remaining: dict[str, tuple[int, float]] = {}
        self._limit_of: dict[str, str] = {}

    def take(self, endpoint: str) -> float:
        """Count a request to `endpoint`; seconds to wait before it is sent (0: now)."""
        now = time.monotonic()
        with self._lock:
            wait_seconds = max(self._told_wait(endpoint, now), self._stated_wait(now))
            self._sent.append(now + wait_seconds)
        return wait_seconds

    def take_at_once(self, endpoint: str) -> bool:
        """Count a request to `endpoint` if it may be sent now; whether it may."""
        now = time.monotonic()
        with self._lock:
            remaining, _ = self._remaining.get(self._limit_of.get(endpoint, ""), (1, 0.0))
            if remaining <= 0 or self._stated_wait(now) > 0:
                return False
            self._told_wait(endpoint, now)
            self._sent.append(now)
        return True

    def _told_wait(self, endpoint: str, now: float) -> float:
        limit = self._limit_of.get(endpoint, "")
        remaining, reset_at = self._remaining.get(limit, (1, 0.0))
        if remaining > 0:
            if limit in self._remaining:
                self._remaining[limit] = (remaining - 1, reset_at)
            return 0.0
        # whoever waits for the reset finds a full budget after it, and hears how full with its answer
        del self._remaining[limit]
        return max(0.0, reset_at - now)

    def _stated_wait(self, now: float) -> float:
        if not self.max_requests_per_minute:
            self._sent.clear()
            return 0.0
        while self._sent and self._sent[0] <= now - PERIOD_SECONDS:
            self._sent.popleft()
        if len(self._sent) < self.max_requests_per_minute:
            return 0.0
        return self._sent[-self.max_requests_per_minute] + PERIOD_SECONDS - now

    def note(self, endpoint: str, headers: Mapping[str, str]) -> None:
        """Keep what an answer says is left, where it says so."""
        remaining, reset_seconds = headers.get("X-RateLimit-Remaining"), reset_in_seconds(headers)
        if remaining is None or not remaining.strip().isdigit() or reset_seconds is None:
            return
        limit = headers.get("X-RateLimit-Name") or ""
        with self._lock:
            self._limit_of[endpoint] = limit
            self._remaining[limit] = (int(remaining), time.monotonic() + reset_seconds)

    def forget(self, endpoint: str) -> None:
        """What was told is served: someone has waited for it in another way (a 429)."""
        with self._lock:
            self._remaining.pop(self._limit_of.get(endpoint, ""), None)


_budgets: dict[str, RequestBudget] = {}
_budgets_lock = threading.Lock()


def budget_of(base_url: str, max_requests_per_minute: int | None = None) -> RequestBudget:
    """The one budget of the system at this address; a maximum stated later replaces the one before."""
    origin = urlsplit(base_url).netloc.rpartition("@")[2].lower()
    with _budgets_lock:
        budget = _budgets.setdefault(origin, RequestBudget())
        if max_requests_per_minute is not None:
            budget.max_requests_per_minute = max_requests_per_minute
    return budget


def stated_maximum(source_name: str) -> int | None:
    """Requests a minute the environment allows a source: <SOURCE>_REQUESTS_PER_MINUTE; None when unset.

    Raises SourceError when it is no whole number above 0.
    """
    name = f"{source_name.upper()}_REQUESTS_PER_MINUTE"
    text = os.environ.get(name)
    if not text:
        return None
    if not text.isdigit() or int(text) == 0:
        raise SourceError(
            f"{name} is {text!r}", "environment", f"set {name} to a whole number of requests, such as 300, or unset it"
        )
    return int(text)


def retry_after_seconds(status: int, headers: Mapping[str, str]) -> float | None:
    """Retry-After (seconds or an HTTP date), else on 429 X-RateLimit-Reset, else None.

    Systems send X-RateLimit-Reset with every answer; it only means us when the limit was hit.
    """
    text = headers.get("Retry-After")
    if text:
        try:
            return max(0.0, Retry().parse_retry_after(text))
        except (InvalidHeader, HTTPError, ValueError, OverflowError):
            return None
    return reset_in_seconds(headers) if status == 429 else None


def reset_in_seconds(headers: Mapping[str, str]) -> float | None:
    """X-RateLimit-Reset as seconds from now: given so, in epoch seconds, or as an ISO 8601 instant (Jira)."""
    text = (headers.get("X-RateLimit-Reset") or "").strip()
    try:
        number = float(text)
    except ValueError:
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            return None
        number = (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()
    if not 0 <= number < 1e12:
        return None
    return max(0.0, number - time.time()) if number >= SMALLEST_EPOCH else number
