"""Outages from a vendor's status page, as candidates for exclusion requests.

A page of this kind says when an outage began and ended in the text of its last message alone, in Pacific clock
times that often carry no date ("Between 5:42 PM and 7:04 PM PDT"). What can be read becomes a window in UTC; what
cannot is refused with a reason. A candidate is a suggestion: only a governed request takes time out of a target.

Rules. The last window of the text counts, since later messages correct earlier ones. Clock times are read in
America/Los_Angeles whichever of PST and PDT is written, because writers mix them up; the first of two equal
readings is taken on the night clocks go back. A beginning without a date is the last such reading no later than
an hour after the first message, and not more than twelve hours before it; an end without a date the first one after
the beginning. An outage that is not marked resolved has no end and is refused.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

PACIFIC = ZoneInfo("America/Los_Angeles")
AFTER_FIRST_MESSAGE = timedelta(hours=1)
BEFORE_FIRST_MESSAGE = timedelta(hours=12)
LONGEST = timedelta(days=7)

_MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905
_DAY = r"(?:{months})\.? \d{{1,2}}(?:st|nd|rd|th)?(?:, \d{{4}})?".format(
    months="|".join(f"{name[:3]}(?:{name[3:]})?" if len(name) > 3 else name for name in _MONTHS)
)
_ZONE = r"(?:\s*P[SD]T)?"
_WINDOW = re.compile(
    rf"between\s+(?:approximately\s+)?(?:(?P<from_day>{_DAY}),?\s+(?:at\s+)?)?"
    rf"(?P<from_clock>\d{{1,2}}[:.]\d{{2}})\s*(?P<from_half>[AP]M)?{_ZONE}(?:,?\s+on\s+(?P<from_day_after>{_DAY}))?,?"
    rf"\s*(?:and|to|-)\s*(?:approximately\s+)?(?:(?P<to_day>{_DAY}),?\s+(?:at\s+)?)?"
    rf"(?P<to_clock>\d{{1,2}}[:.]\d{{2}})\s*(?P<to_half>[AP]M){_ZONE}(?:,?\s+on\s+(?P<to_day_after>{_DAY}))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class OutageCandidate:
    """A stretch [starts_at, ends_at) in UTC in which the vendor says its service was impaired."""

    service: str
    summary: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class RefusedOutage:
    """An outage whose window cannot be told, and why."""

    service: str
    summary: str
    posted_at: datetime
    reason: str


def read_outage(record: dict[str, Any]) -> OutageCandidate | RefusedOutage:
    """One record of the page: date (epoch seconds as text), summary, description (HTML), service."""
    posted_at = datetime.fromtimestamp(int(record["date"]), UTC)
    service, summary = str(record["service"]), str(record["summary"])

    def refused(reason: str) -> RefusedOutage:
        return RefusedOutage(service, summary, posted_at, reason)

    if "[RESOLVED]" not in summary.upper():
        return refused("unresolved: the page never says that it is over")
    text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", str(record["description"]))))
    found = list(_WINDOW.finditer(text))
    if not found:
        return refused("no_window: no message says between when and when")
    window = found[-1]
    try:
        starts_at = _start(window, posted_at)
        ends_at = _end(window, starts_at)
    except ValueError as error:
        return refused(f"unreadable_clock: {error}")
    has_day = window["from_day"] or window["from_day_after"]
    if not has_day and posted_at - starts_at > BEFORE_FIRST_MESSAGE:
        return refused(f"implausible_window: begins at {window['from_clock']}, hours before the first message, undated")
    if not timedelta(0) < ends_at - starts_at <= LONGEST:
        return refused(f"implausible_window: {starts_at:%Y-%m-%d %H:%M} to {ends_at:%Y-%m-%d %H:%M} UTC")
    return OutageCandidate(service, summary, starts_at, ends_at)


def _start(window: re.Match[str], posted_at: datetime) -> datetime:
    hour, minute = _clock(window["from_clock"], window["from_half"] or window["to_half"])
    latest = posted_at + AFTER_FIRST_MESSAGE
    day = window["from_day"] or window["from_day_after"]
    if day:
        return _pacific(_dated(day, posted_at), hour, minute)
    found = _pacific(latest.astimezone(PACIFIC), hour, minute)
    return found if found <= latest else _pacific(latest.astimezone(PACIFIC) - timedelta(days=1), hour, minute)


def _end(window: re.Match[str], starts_at: datetime) -> datetime:
    hour, minute = _clock(window["to_clock"], window["to_half"])
    day = window["to_day"] or window["to_day_after"]
    if day:
        return _pacific(_dated(day, starts_at), hour, minute)
    local = starts_at.astimezone(PACIFIC)
    found = _pacific(local, hour, minute)
    return found if found > starts_at else _pacific(local + timedelta(days=1), hour, minute)


def _clock(text: str, half: str) -> tuple[int, int]:
    hour, minute = (int(part) for part in re.split("[:.]", text))
    if not 1 <= hour <= 12 or minute > 59:
        raise ValueError(f"{text} {half} is no clock time")
    return hour % 12 + (12 if half.upper() == "PM" else 0), minute


def _dated(text: str, near: datetime) -> datetime:
    """The day a text names; without a year, that of `near`."""
    parts = re.findall(r"[A-Za-z]+|\d+", text)
    month = next(number for number, name in enumerate(_MONTHS, start=1) if name.startswith(parts[0][:3].title()))
    year = int(parts[-1]) if len(parts[-1]) == 4 else near.astimezone(PACIFIC).year
    return datetime(year, month, int(parts[1]), tzinfo=PACIFIC)


def _pacific(day: datetime, hour: int, minute: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=PACIFIC).astimezone(UTC)
