"""Clocks and reference data for the generator: seeds as dicts, office hours as epoch seconds.

The generator needs to *invert* a calendar ("when are 5.5 office hours over?") to place events so that a
ticket takes a chosen effort. It works on epoch seconds (UTC) and turns them into datetimes at the end.
This is generator machinery only; what is right is decided by the SQL marts and the reference calculation.
"""

from __future__ import annotations

import csv
from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
DAY = 86_400
HOUR = 3_600

COUNTRY_ZONES = {"IE": "Europe/Dublin", "US": "America/New_York", "IN": "Asia/Kolkata"}


def read_seed(relative: str) -> list[dict[str, str]]:
    """Rows of one governed seed file, every value as text, '' for empty."""
    path = SEEDS / relative
    if not path.is_file():
        raise FileNotFoundError(
            f"reference data file seeds/{relative} is missing: the demonstration company is built on it"
        )
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def epoch(moment: datetime) -> int:
    """Whole epoch seconds of an aware datetime."""
    return int(moment.timestamp())


def instant(seconds: int) -> datetime:
    """UTC datetime of epoch seconds."""
    return datetime.fromtimestamp(seconds, UTC)


def utc(text: str) -> datetime:
    """'YYYY-MM-DD HH:MM:SS' read as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local_epoch(day: date, clock: str, zone: ZoneInfo) -> int:
    """Epoch seconds of a local wall clock time; '24:00' is the next local midnight."""
    if clock == "24:00":
        day, clock = day + timedelta(days=1), "00:00"
    return epoch(datetime.combine(day, time.fromisoformat(clock), zone))


def quarter_of(day: date | datetime) -> str:
    """'2025-Q1' for a date or an instant."""
    return f"{day.year}-Q{(day.month - 1) // 3 + 1}"


def quarter_start(day: date) -> date:
    """First day of the quarter that holds `day`."""
    return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


def next_quarter(day: date) -> date:
    """First day of the quarter after the one that holds `day`."""
    start = quarter_start(day)
    return date(start.year + start.month // 10, (start.month + 2) % 12 + 1, 1)


class Clock:
    """Open time as sorted half-open segments of epoch seconds, with running totals for both directions."""

    def __init__(self, segments: list[tuple[int, int]]) -> None:
        self._opens = [start for start, _ in segments]
        self._closes = [end for _, end in segments]
        self._before = [0]
        for start, end in segments:
            self._before.append(self._before[-1] + end - start)

    def _total(self, at: int) -> int:
        index = bisect_right(self._opens, at) - 1
        if index < 0:
            return 0
        return self._before[index] + min(at, self._closes[index]) - self._opens[index]

    def elapsed(self, start: int, end: int) -> int:
        """Open seconds in [start, end)."""
        return self._total(end) - self._total(start)

    def add(self, start: int, seconds: int) -> int:
        """Earliest instant at which `seconds` open seconds have passed since `start`."""
        if seconds <= 0:
            return start
        wanted = self._total(start) + seconds
        index = bisect_left(self._before, wanted) - 1
        if index >= len(self._opens):
            raise ValueError("the generator's calendars end too early for this ticket: lengthen the horizon")
        return self._opens[index] + wanted - self._before[index]


class AlwaysOpen(Clock):
    """The clock that never stops."""

    def __init__(self) -> None:
        super().__init__([])

    def elapsed(self, start: int, end: int) -> int:
        """Wall seconds in [start, end)."""
        return end - start

    def add(self, start: int, seconds: int) -> int:
        """`start` and `seconds` wall seconds."""
        return start + max(0, seconds)


def load_clocks(from_on: date, to_on: date) -> dict[str, Clock]:
    """One clock per calendar of seeds/calendars, for local days [from_on, to_on).

    Local opening and closing are converted one by one, so a day on which clocks change is as long as it was.
    """
    holidays = {(row["calendar_code"], row["holiday_on"]) for row in read_seed("calendars/calendar_holiday.csv")}
    weekly: dict[str, dict[int, list[tuple[str, str, str, str]]]] = {}
    for row in read_seed("calendars/calendar_segment.csv"):
        by_day = weekly.setdefault(row["calendar_code"], {})
        by_day.setdefault(int(row["iso_weekday"]), []).append(
            (
                row["opens_at_local"],
                row["closes_at_local"],
                row["effective_from"],
                row["effective_to"] or "9999-12-31",
            )
        )
    clocks: dict[str, Clock] = {}
    for row in read_seed("calendars/calendar.csv"):
        code, zone = row["calendar_code"], ZoneInfo(row["time_zone"])
        if code == "always":
            clocks[code] = AlwaysOpen()
            continue
        segments = []
        for offset in range((to_on - from_on).days):
            day = from_on + timedelta(days=offset)
            if (code, day.isoformat()) in holidays:
                continue
            segments += [
                (local_epoch(day, opens, zone), local_epoch(day, closes, zone))
                for opens, closes, valid_from, valid_to in weekly[code].get(day.isoweekday(), [])
                if valid_from <= day.isoformat() <= valid_to
            ]
        clocks[code] = Clock(sorted(segments))
    return clocks


class Targets:
    """Which target and calendar a ticket is held to, looked up in seeds/slt/slt_target.csv."""

    def __init__(self, service_calendars: dict[str, str]) -> None:
        self._service_calendars = service_calendars
        self._rows = {
            (row["slt_code"], row["service_code"], int(row["priority"])): (
                int(row["target_seconds"]),
                int(row["tolerance_seconds"]),
                row["calendar_code"],
            )
            for row in read_seed("slt/slt_target.csv")
            if not (row["contract_code"] or row["business_unit_code"] or row["starts_within_calendar_code"])
        }

    def of(self, slt_code: str, service_code: str, priority: int) -> tuple[int, int, str]:
        """(target_seconds, tolerance_seconds, calendar_code); a service's own row beats the general one."""
        row = self._rows.get((slt_code, service_code, priority)) or self._rows[slt_code, "", priority]
        return row[0], row[1], row[2] or self._service_calendars.get(service_code, "always")
