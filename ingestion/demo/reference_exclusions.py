"""What governed requests for exclusion exclude, worked out request by request, day by day.

Shares nothing with the SQL but the seeds' rows: rules of RFC 5545 are walked forward from their first occurrence
one local day after the other, wall clock readings are converted by zoneinfo (fold=0: a reading that comes twice is the
first, a skipped one counts by the offset before the gap), and a request is judged by plain conditions.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
# A rule without an end is walked this far; whatever looks at windows looks at fewer years.
FARTHEST = timedelta(days=10 * 366)


@dataclass(frozen=True)
class Rule:
    """A recurrence rule: every `interval` days, weeks, months or years, on the days that fit the lists."""

    frequency: str
    interval: int
    weekdays: tuple[tuple[int, str], ...]  # (0 or the number within the month, weekday)
    month_days: tuple[int, ...]
    count: int | None
    until: datetime | None
    week_start: int

    def has_day(self, first: date, day: date) -> bool:
        """Whether an occurrence begins on a day, COUNT and UNTIL aside."""
        return self._has_step(first, day) and self._fits(first, day)

    def _has_step(self, first: date, day: date) -> bool:
        if self.frequency == "DAILY":
            steps = (day - first).days
        elif self.frequency == "WEEKLY":
            steps = (self._week_of(day) - self._week_of(first)).days // 7
        elif self.frequency == "MONTHLY":
            steps = (day.year - first.year) * 12 + day.month - first.month
        else:
            steps = day.year - first.year
        return steps % self.interval == 0

    def _week_of(self, day: date) -> date:
        return day - timedelta(days=(day.weekday() - self.week_start) % 7)

    def _fits(self, first: date, day: date) -> bool:
        days_in_month = monthrange(day.year, day.month)[1]
        if self.month_days and not {day.day, day.day - days_in_month - 1} & set(self.month_days):
            return False
        if self.weekdays:
            numbers = {0, (day.day - 1) // 7 + 1, -((days_in_month - day.day) // 7 + 1)}
            return any(WEEKDAYS[day.weekday()] == name and number in numbers for number, name in self.weekdays)
        if self.month_days or self.frequency == "DAILY":
            return True
        if self.frequency == "WEEKLY":
            return day.weekday() == first.weekday()
        return day.day == first.day and (self.frequency == "MONTHLY" or day.month == first.month)


def parse_rule(text: str) -> Rule:
    """A rule of the subset that requests may use; ValueError says what is not in it."""
    parts: dict[str, str] = {}
    for part in text.upper().replace(" ", "").split(";"):
        name, equals, value = part.partition("=")
        if not equals or name in parts or not value:
            raise ValueError(f"{part!r} of {text!r} is no part of a rule, or stands twice")
        parts[name] = value
    unknown = set(parts) - {"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "COUNT", "UNTIL", "WKST"}
    frequency = parts.get("FREQ", "")
    if unknown or frequency not in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY"):
        raise ValueError(f"{text!r}: {', '.join(sorted(unknown)) or 'FREQ'} is not supported")
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError(f"{text!r} has COUNT and UNTIL")
    weekdays = []
    for item in filter(None, parts.get("BYDAY", "").split(",")):
        number, name = int(item[:-2] or "0"), item[-2:]
        if name not in WEEKDAYS or abs(number) > 5 or (number and frequency != "MONTHLY"):
            raise ValueError(f"{text!r}: weekday {item!r} is not supported")
        weekdays.append((number, name))
    month_days = tuple(int(item) for item in filter(None, parts.get("BYMONTHDAY", "").split(",")))
    if any(not 1 <= abs(number) <= 31 for number in month_days) or (month_days and frequency == "WEEKLY"):
        raise ValueError(f"{text!r}: BYMONTHDAY is not supported so")
    until = None
    if "UNTIL" in parts:
        until = datetime.strptime(parts["UNTIL"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    interval, count = int(parts.get("INTERVAL", "1")), int(parts.get("COUNT", "1"))
    if not (1 <= interval <= 999 and 1 <= count <= 99_999):
        raise ValueError(f"{text!r}: INTERVAL or COUNT is not a number in range")
    return Rule(
        frequency=frequency,
        interval=interval,
        weekdays=tuple(weekdays),
        month_days=month_days,
        count=count if "COUNT" in parts else None,
        until=until,
        week_start=WEEKDAYS.index(parts.get("WKST", "MO")),
    )


def occurrences(
    starts: datetime,
    ends: datetime,
    zone: str,
    recurrence: str,
    excluded: Sequence[datetime],
    last_on: date | None = None,
) -> Iterator[tuple[datetime, datetime]]:
    """Windows (UTC instants, half-open) of a request; `starts`, `ends`, `excluded` are wall clock readings of `zone`.

    Each window begins and ends at the same readings as the first, each converted by itself; a window that lies wholly
    in a skipped hour drops out. ValueError for a rule that is not supported or does not have its own first occurrence.
    """
    clock = ZoneInfo(zone or "Etc/UTC")
    rule = parse_rule(recurrence) if recurrence else None
    if rule and not rule.has_day(starts.date(), starts.date()):
        raise ValueError(f"{starts} is not an occurrence of {recurrence!r}")
    limit = last_on or starts.date() + FARTHEST
    number, day = 0, starts.date()
    while day <= limit:
        if rule is None or rule.has_day(starts.date(), day):
            number += 1
            shift = day - starts.date()
            from_at = (starts + shift).replace(tzinfo=clock).astimezone(UTC)
            to_at = (ends + shift).replace(tzinfo=clock).astimezone(UTC)
            if rule and ((rule.count and number > rule.count) or (rule.until and from_at > rule.until)):
                return
            if from_at < to_at and starts + shift not in excluded:
                yield from_at, to_at
        if rule is None:
            return
        day += timedelta(days=1)


@dataclass(frozen=True)
class ExclusionRequest:
    """One request as the seed has it, its windows worked out; `own_fault` says why it has no effect, '' if it may."""

    exclusion_id: str
    category: str
    scope_type: str
    scope_code: str
    is_outside_control: bool
    windows: tuple[tuple[datetime, datetime], ...]
    own_fault: str


def read_requests(
    requests: Sequence[Mapping[str, str]],
    categories: Sequence[Mapping[str, str]],
    category_documents: Sequence[Mapping[str, str]],
    documents: Sequence[Mapping[str, str]],
    vendor_codes: Sequence[str],
    last_on: date | None = None,
) -> list[ExclusionRequest]:
    """Every request of the seed rows, judged by all that does not depend on an audience's policy.

    Rules are walked to `last_on`, a local date.
    """
    by_category = {row["category"]: row for row in categories}
    received = {(row["exclusion_id"], row["document_type"]) for row in documents if row["received_at"]}
    found = []
    for row in requests:
        category = by_category.get(row["category"], {})
        fault = _decision_fault(row)
        windows: list[tuple[datetime, datetime]] = []
        try:
            starts, ends = datetime.fromisoformat(row["starts_at"]), datetime.fromisoformat(row["ends_at"])
            excluded = [
                datetime.fromisoformat(text.strip()) for text in filter(None, row["excluded_starts"].split(";"))
            ]
            windows = list(occurrences(starts, ends, row["time_zone"], row["recurrence"], excluded, last_on))
        except ValueError as error:
            fault = fault or str(error)
        if not windows:
            fault = fault or "no window"
        if not fault:
            fault = _papers_fault(row, category, category_documents, received)
        if not fault and row["scope_type"] == "vendor" and row["scope_code"] not in vendor_codes:
            fault = "vendor unknown"
        if category.get("is_advance_approval_required") == "true" and row["approved_at"]:
            approved_at = _instant(row["approved_at"])
            windows = [window for window in windows if approved_at <= window[0]]
        found.append(
            ExclusionRequest(
                exclusion_id=row["exclusion_id"],
                category=row["category"],
                scope_type=row["scope_type"],
                scope_code=row["scope_code"],
                is_outside_control=row["controllability"] == "outside_control",
                windows=tuple(windows),
                own_fault=fault,
            )
        )
    return found


def read_seed_requests(
    read_seed: Callable[[str, Path], list[dict[str, str]]], seeds_path: Path
) -> list[ExclusionRequest]:
    """The requests of the seed files below a folder; `read_seed(name, folder)` gives a file's rows."""
    return read_requests(
        read_seed("governance/exclusion_request.csv", seeds_path),
        read_seed("slt/exclusion_category.csv", seeds_path),
        read_seed("slt/exclusion_category_document.csv", seeds_path),
        read_seed("governance/exclusion_document.csv", seeds_path),
        [row["vendor_code"] for row in read_seed("services/vendor.csv", seeds_path)],
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _decision_fault(row: Mapping[str, str]) -> str:
    if row["decision"] != "approved" or not row["approved_by"] or not row["approved_at"]:
        return "not approved"
    if not row["requested_by"] or not row["requested_at"]:
        return "not requested by anybody"
    if row["approved_by"] == row["requested_by"]:
        return "approved by its own requester"
    return "approved before it was requested" if row["approved_at"] < row["requested_at"] else ""


def _papers_fault(
    row: Mapping[str, str],
    category: Mapping[str, str],
    category_documents: Sequence[Mapping[str, str]],
    received: set[tuple[str, str]],
) -> str:
    if not category:
        return "category unknown"
    for demanded in category_documents:
        if demanded["category"] == row["category"] and (row["exclusion_id"], demanded["document_type"]) not in received:
            return f"{demanded['document_type']} missing"
    if category["is_root_cause_required"] == "true" and not row["root_cause"]:
        return "root cause missing"
    days = category["request_deadline_days"]
    clock = ZoneInfo(row["time_zone"] or "Etc/UTC")
    first_end = datetime.fromisoformat(row["ends_at"]).replace(tzinfo=clock)
    if days and _instant(row["requested_at"]) > first_end.astimezone(UTC) + timedelta(days=int(days)):
        return "requested late"
    return ""
