"""Reference calculation of the SLT clock and of availability: plain Python, no SQL, no warehouse.

What belongs here: the rules of the service-level-target clock written a second time, from the governed
reference data in ``seeds/`` and the history of one ticket (or one monitor), so that the warehouse can be
checked against something that shares no code with it. What does not: metrics and money
(``reference_pay``), and anything that reads the warehouse.

The method is the obvious one. A ticket's history is cut into stretches of constant state; each running
stretch is laid over the openings of its calendar, day by day; what is open is laid over the exclusion
windows. Every second therefore lands in exactly one class, the totals are sums of the pieces, and the
instant of a breach is found by walking along them.

Units: instants are whole seconds since 1970-01-01T00:00:00Z (``_s`` in local names), durations whole
seconds, intervals half-open [from, to). A fraction of a second in a source stamp is cut off.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from ingestion.demo.reference_exclusions import ExclusionRequest, read_seed_requests

if TYPE_CHECKING:
    from ingestion.demo.model import Company, Monitor, MonitorTransition, TicketEvent

SEEDS_PATH = Path(__file__).resolve().parents[2] / "seeds"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_SECONDS = 86_400
REOPEN_POLICIES = ("first_stop", "running_through", "resume", "new_cycle")
TARGET_POLICIES = ("as_of_start", "as_of_stop")
ENDED_ROLES = ("stopped", "canceled")

Window = tuple[int, int]


# ---------------------------------------------------------------------------------------------- basics


def read_seed(name: str, seeds_path: Path = SEEDS_PATH) -> list[dict[str, str]]:
    """Rows of one governed CSV, e.g. ``read_seed("slt/slt_target.csv")``; empty cells are ''."""
    path = seeds_path / name
    if not path.exists():
        raise FileNotFoundError(f"reference data {path} is missing: restore seeds/ from the repository")
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def parse_date(text: str) -> date | None:
    """ISO date, or None for an empty cell (an open end)."""
    return date.fromisoformat(text) if text else None


def to_seconds(at: datetime) -> int:
    """Seconds since the epoch of an aware instant; a naive one is refused, since its zone is unknown."""
    if at.tzinfo is None:
        raise ValueError(f"instant {at.isoformat()} has no time zone: use an aware datetime in UTC")
    return (at - EPOCH) // timedelta(seconds=1)


def to_instant(seconds: int) -> datetime:
    """The aware UTC instant of a number of seconds since the epoch."""
    return EPOCH + timedelta(seconds=seconds)


def utc_date(seconds: int) -> date:
    """The UTC calendar day an instant falls on."""
    return date.fromordinal(EPOCH.toordinal() + seconds // DAY_SECONDS)


def merge_windows(windows: Iterable[Window]) -> list[Window]:
    """Union of half-open windows: sorted, disjoint, touching ones joined, empty ones dropped."""
    merged: list[Window] = []
    for start, end in sorted(window for window in windows if window[0] < window[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def overlaps(start: int, end: int, windows: Sequence[Window]) -> Iterator[Window]:
    """The parts of sorted disjoint windows that lie inside [start, end), in order."""
    for window_start, window_end in windows:
        if window_start >= end:
            return
        inside_from, inside_to = max(start, window_start), min(end, window_end)
        if inside_from < inside_to:
            yield inside_from, inside_to


def covered_seconds(start: int, end: int, windows: Sequence[Window]) -> int:
    """How many seconds of [start, end) lie inside sorted disjoint windows."""
    return sum(inside_to - inside_from for inside_from, inside_to in overlaps(start, end, windows))


def is_in_force(on: date, effective_from: date, effective_to: date | None) -> bool:
    """Whether a day lies in an inclusive range of effective dates with an optionally open end."""
    return effective_from <= on and (effective_to is None or on <= effective_to)


def half_up_share(numerator: int, denominator: int, places: int = 6) -> Fraction:
    """numerator/denominator (both >= 0) rounded half up to ``places`` decimals, exactly."""
    scale = 10**places
    return Fraction((2 * numerator * scale + denominator) // (2 * denominator), scale)


# ------------------------------------------------------------------------------------------- calendars


@dataclass(frozen=True)
class CalendarSegment:
    """One opening of the week in local wall-clock seconds after midnight (24:00 = 86,400)."""

    iso_weekday: int
    opens_at: int
    closes_at: int
    effective_from: date
    effective_to: date | None


@dataclass
class Calendar:
    """A business calendar: an IANA zone, weekly segments with effective dates, and closed local days."""

    calendar_code: str
    time_zone: str
    segments: list[CalendarSegment]
    holidays: frozenset[date] = frozenset()
    _days: dict[int, list[Window]] = field(default_factory=dict, repr=False)

    def _utc_seconds(self, on: date, local_seconds: int) -> int:
        day = on + timedelta(days=local_seconds // DAY_SECONDS)
        hours, rest = divmod(local_seconds % DAY_SECONDS, 3600)
        local = datetime(day.year, day.month, day.day, hours, rest // 60, rest % 60, tzinfo=ZoneInfo(self.time_zone))
        return to_seconds(local.astimezone(UTC))

    def openings_on(self, on: date) -> list[Window]:
        """UTC windows of one local day, sorted and disjoint; each endpoint is converted on its own."""
        ordinal = on.toordinal()
        if ordinal not in self._days:
            windows = []
            if on not in self.holidays:
                for segment in self.segments:
                    if segment.iso_weekday == on.isoweekday() and is_in_force(
                        on, segment.effective_from, segment.effective_to
                    ):
                        opens = self._utc_seconds(on, segment.opens_at)
                        windows.append((opens, self._utc_seconds(on, segment.closes_at)))
            self._days[ordinal] = merge_windows(windows)
        return self._days[ordinal]

    def openings(self, start: int, end: int) -> Iterator[Window]:
        """The open parts of [start, end), in order, disjoint."""
        # No zone is more than a day from UTC, so one local day either side is enough.
        first, last = utc_date(start).toordinal() - 1, utc_date(end).toordinal() + 1
        for ordinal in range(first, last + 1):
            windows = self._days.get(ordinal)
            if windows is None:
                windows = self.openings_on(date.fromordinal(ordinal))
            for opens, closes in windows:
                if opens < end and start < closes:
                    yield max(start, opens), min(end, closes)

    def is_open_at(self, at: int) -> bool:
        """Whether one instant is open, by looking at the wall clock (the slow way, for checks)."""
        local = to_instant(at).astimezone(ZoneInfo(self.time_zone))
        if local.date() in self.holidays:
            return False
        clock = local.hour * 3600 + local.minute * 60 + local.second
        return any(
            segment.iso_weekday == local.isoweekday()
            and is_in_force(local.date(), segment.effective_from, segment.effective_to)
            and segment.opens_at <= clock < segment.closes_at
            for segment in self.segments
        )


def clock_text_seconds(text: str) -> int:
    """'09:30' or '24:00' as seconds after local midnight."""
    hours, minutes = text.split(":")[:2]
    return int(hours) * 3600 + int(minutes) * 60


# ---------------------------------------------------------------------------------------- definitions


@dataclass(frozen=True)
class SltDefinition:
    """One version of a service-level target: when its clock runs, and under which policies."""

    slt_code: str
    slt_version: int
    source_system: str
    phase: str
    reopen_policy: str
    target_policy: str
    exclusion_audience: str
    at_risk_share: Fraction
    effective_from: date
    effective_to: date | None
    clock_roles: Mapping[str, str]  # ticket_state -> running | paused | stopped | canceled | carry

    def __post_init__(self) -> None:
        for value, allowed, column in (
            (self.reopen_policy, REOPEN_POLICIES, "reopen_policy"),
            (self.target_policy, TARGET_POLICIES, "target_policy"),
        ):
            if value not in allowed:
                raise ValueError(
                    f"slt_definition {self.slt_code}: {column} {value!r} is not one of {', '.join(allowed)}"
                )


@dataclass(frozen=True)
class SltTarget:
    """A target in seconds for one priority; service_code, contract_code and business_unit_code '' = every one,
    calendar_code '' = the service's own calendar, starts_within_calendar_code '' = whenever the clock starts.
    """

    slt_code: str
    slt_version: int
    service_code: str
    priority: int
    calendar_code: str
    target_seconds: int
    tolerance_seconds: int
    effective_from: date
    effective_to: date | None
    contract_code: str = ""
    business_unit_code: str = ""
    starts_within_calendar_code: str = ""

    @property
    def specificity(self) -> tuple[bool, bool, bool, bool]:
        """Contract before business unit, service and hours of the start: the greatest row counts."""
        return (
            self.contract_code != "",
            self.business_unit_code != "",
            self.service_code != "",
            self.starts_within_calendar_code != "",
        )


@dataclass
class SltReference:
    """All governed reference data the clock needs, read once."""

    definitions: list[SltDefinition]
    targets: list[SltTarget]
    calendars: dict[str, Calendar]
    service_calendars: dict[str, str]
    service_vendors: dict[str, str]
    contract_units: dict[str, str]
    item_vendors: dict[str, str]
    exclusion_requests: list[ExclusionRequest]
    exclusion_policies: list[tuple[str, str, bool, bool, date, date | None]]
    _windows: dict[tuple[str, str, str], list[Window]] = field(default_factory=dict, repr=False)

    def counted_windows(self, request: ExclusionRequest, audience: str) -> list[Window]:
        """The windows of a request that count for an audience: policy is that of the day each begins."""
        if request.own_fault:
            return []
        return [
            (to_seconds(from_at), to_seconds(to_at))
            for from_at, to_at in request.windows
            if any(
                category == request.category
                and policy_audience == audience
                and is_counted
                and (request.is_outside_control or not is_outside_control_required)
                and is_in_force(from_at.date(), effective_from, effective_to)
                for (
                    category,
                    policy_audience,
                    is_counted,
                    is_outside_control_required,
                    effective_from,
                    effective_to,
                ) in self.exclusion_policies
            )
        ]

    def exclusion_windows(
        self, service_code: str | None, audience: str, configuration_item_code: str | None = None
    ) -> list[Window]:
        """Merged windows in effect for a service and a configuration item (None = without) and an audience."""
        code, item = service_code or "", configuration_item_code or ""
        if (code, item, audience) not in self._windows:
            vendor_codes = {self.service_vendors.get(code, ""), self.item_vendors.get(item, "")} - {""}
            self._windows[code, item, audience] = merge_windows(
                window
                for request in self.exclusion_requests
                if (
                    request.scope_type == "all"
                    or (request.scope_type == "service" and code and request.scope_code == code)
                    or (request.scope_type == "vendor" and request.scope_code in vendor_codes)
                    or (request.scope_type == "configuration_item" and item and request.scope_code == item)
                )
                for window in self.counted_windows(request, audience)
            )
        return self._windows[code, item, audience]

    def target_for(self, definition: SltDefinition, held: TicketEvent, start_s: int) -> SltTarget | None:
        """The most specific target row for what a ticket holds and when its clock starts; None if none."""
        on = utc_date(start_s)
        contract = held.contract_code or ""
        found = [
            target
            for target in self.targets
            if target.slt_code == definition.slt_code
            and target.slt_version == definition.slt_version
            and target.priority == held.priority
            and target.service_code in ("", held.service_code or "")
            and target.contract_code in ("", contract)
            and target.business_unit_code in ("", self.contract_units.get(contract, ""))
            and (
                not target.starts_within_calendar_code
                or self.calendars[target.starts_within_calendar_code].is_open_at(start_s)
            )
            and is_in_force(on, target.effective_from, target.effective_to)
        ]
        if len({target.specificity for target in found}) < len(found):
            raise ValueError(
                f"slt_target has overlapping rows for {definition.slt_code} priority {held.priority} "
                f"service {held.service_code or '(any)'} on {on}: end the earlier one"
            )
        return max(found, key=lambda target: target.specificity, default=None)

    def calendar_for(self, target: SltTarget, service_code: str | None) -> Calendar:
        """The target's calendar, else the service's, else around the clock."""
        code = target.calendar_code or self.service_calendars.get(service_code or "", "always")
        return self.calendars[code]


def _is_implemented(row: Mapping[str, str]) -> bool:
    """True for a definition this reference can follow; ValueError for one the company must not use."""
    for column, expected in (
        ("calendar_policy", "of_target"),
        ("resume_policy", "pause_not_met"),
        ("is_attached_when_stopped", "true"),
        ("is_retroactive_start", "false"),
    ):
        if row[column] != expected:
            raise ValueError(
                f"slt_definition {row['slt_code']}: {column} {row[column]!r} is beyond this reference, which knows "
                f"{expected!r} only: leave such definitions to the oracle of tests/property"
            )
    return True


def _clock_roles(rows: Iterable[Mapping[str, str]]) -> dict[tuple[str, str], dict[str, str]]:
    """(slt_code, slt_version) -> ticket_state -> clock role, of conditions that ask for the state alone."""
    roles: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    weights = {"start": ("running", 0), "pause": ("paused", 1), "stop": ("stopped", 2), "cancel": ("canceled", 3)}
    held: dict[tuple[str, str, str], int] = {}
    for row in rows:
        if row["field"] != "ticket_state" or row["operator"] != "is" or row["condition"] not in weights:
            raise ValueError(
                f"slt_condition {row['slt_code']} {row['condition']} {row['clause']}: this reference knows start, "
                "pause, stop and cancel by ticket_state only: leave others to the oracle of tests/property"
            )
        role, weight = weights[row["condition"]]
        key = (row["slt_code"], row["slt_version"], row["value"])
        if weight >= held.get(key, -1):
            held[key] = weight
            roles[key[:2]][row["value"]] = role
    for by_state in roles.values():
        by_state["unknown"] = "carry"
    return dict(roles)


def load_slt_reference(seeds_path: Path = SEEDS_PATH) -> SltReference:
    """Read seeds/{slt,calendars,services,governance} into typed rows."""
    roles = _clock_roles(read_seed("slt/slt_condition.csv", seeds_path))
    definitions = [
        SltDefinition(
            slt_code=row["slt_code"],
            slt_version=int(row["slt_version"]),
            source_system=row["source_system"],
            phase=row["phase"],
            reopen_policy=row["reopen_policy"],
            target_policy=row["target_policy"],
            exclusion_audience=row["exclusion_audience"],
            at_risk_share=Fraction(row["at_risk_share"]),
            effective_from=date.fromisoformat(row["effective_from"]),
            effective_to=parse_date(row["effective_to"]),
            clock_roles=roles[row["slt_code"], row["slt_version"]],
        )
        for row in read_seed("slt/slt_definition.csv", seeds_path)
        if _is_implemented(row)
    ]
    targets = [
        SltTarget(
            slt_code=row["slt_code"],
            slt_version=int(row["slt_version"]),
            service_code=row["service_code"],
            priority=int(row["priority"]),
            calendar_code=row["calendar_code"],
            target_seconds=int(row["target_seconds"]),
            tolerance_seconds=int(row["tolerance_seconds"]),
            effective_from=date.fromisoformat(row["effective_from"]),
            effective_to=parse_date(row["effective_to"]),
            contract_code=row["contract_code"],
            business_unit_code=row["business_unit_code"],
            starts_within_calendar_code=row["starts_within_calendar_code"],
        )
        for row in read_seed("slt/slt_target.csv", seeds_path)
    ]
    holidays: dict[str, set[date]] = defaultdict(set)
    for row in read_seed("calendars/calendar_holiday.csv", seeds_path):
        holidays[row["calendar_code"]].add(date.fromisoformat(row["holiday_on"]))
    segments: dict[str, list[CalendarSegment]] = defaultdict(list)
    for row in read_seed("calendars/calendar_segment.csv", seeds_path):
        segments[row["calendar_code"]].append(
            CalendarSegment(
                iso_weekday=int(row["iso_weekday"]),
                opens_at=clock_text_seconds(row["opens_at_local"]),
                closes_at=clock_text_seconds(row["closes_at_local"]),
                effective_from=date.fromisoformat(row["effective_from"]),
                effective_to=parse_date(row["effective_to"]),
            )
        )
    calendars = {
        row["calendar_code"]: Calendar(
            calendar_code=row["calendar_code"],
            time_zone=row["time_zone"],
            segments=segments[row["calendar_code"]],
            holidays=frozenset(holidays[row["calendar_code"]]),
        )
        for row in read_seed("calendars/calendar.csv", seeds_path)
    }
    services = read_seed("services/service.csv", seeds_path)
    return SltReference(
        definitions=definitions,
        targets=targets,
        calendars=calendars,
        service_calendars={row["service_code"]: row["calendar_code"] for row in services},
        service_vendors={row["service_code"]: row["vendor_code"] for row in services},
        contract_units={
            row["contract_code"]: row["business_unit_code"] for row in read_seed("services/contract.csv", seeds_path)
        },
        item_vendors={
            row["configuration_item_code"]: row["vendor_code"]
            for row in read_seed("services/configuration_item.csv", seeds_path)
        },
        exclusion_requests=read_seed_requests(read_seed, seeds_path),
        exclusion_policies=[
            (
                row["category"],
                row["audience"],
                row["is_counted"] == "true",
                row["is_outside_control_required"] == "true",
                date.fromisoformat(row["effective_from"]),
                parse_date(row["effective_to"]),
            )
            for row in read_seed("slt/exclusion_policy.csv", seeds_path)
        ],
    )


# ------------------------------------------------------------------------------------- the ticket clock


class Stretch(NamedTuple):
    """A half-open stretch of one ticket's history with a constant clock role."""

    from_s: int
    to_s: int
    clock_role: str
    event: TicketEvent


class Outline(NamedTuple):
    """What the history alone decides, before any calendar: when the clock starts, ends and why."""

    start_s: int
    end_s: int
    stop_s: int | None
    is_canceled: bool
    stretches: tuple[Stretch, ...]  # cover [start_s, end_s) without gap
    event_at_start: TicketEvent
    event_at_end: TicketEvent


class ClockPiece(NamedTuple):
    """A stretch of the clock with one class; the pieces of a ticket tile [start, end) in order."""

    from_s: int
    to_s: int
    clock_class: str  # net | excluded | outside_calendar | paused | stopped (policy resume only)
    ticket_state: str


@dataclass(frozen=True)
class TicketSlt:
    """Result of one ticket under one SLT definition. Seconds are whole; instants are aware UTC."""

    slt_status: str
    start_at: datetime
    stop_at: datetime | None
    wall_seconds: int
    paused_seconds: int
    outside_calendar_seconds: int
    excluded_seconds: int
    net_seconds: int
    business_seconds: int
    is_breached_raw: bool
    is_breached_adjusted: bool
    is_forgiven: bool
    original_breach_at: datetime | None
    breach_at: datetime | None
    target_used_share: Fraction
    pieces: tuple[ClockPiece, ...]


def has_contradiction(events: Sequence[TicketEvent]) -> bool:
    """Whether a history contradicts itself: something is said to have happened before the opening."""
    return any(event.at < events[0].at for event in events)


def role_stretches(events: Sequence[TicketEvent], definition: SltDefinition, as_of_s: int) -> tuple[Stretch, ...]:
    """Stretches of constant clock role from the first event to as_of; () when it was opened later.

    Of several events at one instant the last holds; 'carry' keeps the role before it; a history that
    begins with 'carry' begins running. Raises ValueError for a state the definition does not name.
    """
    held: list[tuple[int, str, TicketEvent]] = []
    role = "running"
    for event in events:
        at = to_seconds(event.at)
        if at > as_of_s:
            break
        named = definition.clock_roles.get(event.ticket_state)
        if named is None:
            raise ValueError(
                f"{definition.slt_code} has no clock_role for ticket_state {event.ticket_state!r}: "
                "add a row to seeds/slt/slt_condition.csv"
            )
        if named != "carry":
            role = named
        if held and held[-1][0] == at:
            held[-1] = (at, role, event)
        else:
            held.append((at, role, event))
    if not held:
        return ()
    ends = [at for at, _, _ in held[1:]] + [as_of_s]
    return tuple(Stretch(at, end, held_role, event) for (at, held_role, event), end in zip(held, ends, strict=True))


def outline_ticket(events: Sequence[TicketEvent], definition: SltDefinition, as_of_s: int) -> Outline | None:
    """Start, end, stop and the stretches that count under the definition's reopen policy.

    The clock ends with the first stretch that is stopped or canceled (first_stop), else with the unbroken
    row of such stretches the history ends in; the first of the row says whether it stopped or was canceled.
    Such stretches that were left again count as running (running_through), as 'stopped' (resume), or begin
    a new cycle (new_cycle). None when the ticket was not yet opened at as_of.
    """
    stretches = role_stretches(events, definition, as_of_s)
    if not stretches:
        return None
    end: int | None = None  # index of the stretch at whose start the clock stops or is canceled
    if definition.reopen_policy == "first_stop":
        end = next((n for n, s in enumerate(stretches) if s.clock_role in ENDED_ROLES), None)
    elif stretches[-1].clock_role in ENDED_ROLES:
        end = len(stretches) - 1
        while end > 0 and stretches[end - 1].clock_role in ENDED_ROLES:
            end -= 1
    is_canceled = end is not None and stretches[end].clock_role == "canceled"

    counted = stretches if end is None else stretches[:end]
    end_s = as_of_s if end is None else stretches[end].from_s
    event_at_end = stretches[-1 if end is None else end].event

    if definition.reopen_policy == "new_cycle":
        left = [n for n, s in enumerate(counted) if s.clock_role in ENDED_ROLES]
        if left:
            counted = counted[left[-1] + 1 :]
    else:
        left_role = "stopped" if definition.reopen_policy == "resume" else "running"
        counted = tuple(s._replace(clock_role=left_role) if s.clock_role in ENDED_ROLES else s for s in counted)

    first = counted[0] if counted else stretches[end or 0]
    return Outline(
        start_s=first.from_s,
        end_s=end_s,
        stop_s=None if end is None or is_canceled else stretches[end].from_s,
        is_canceled=is_canceled,
        stretches=counted,
        event_at_start=first.event,
        event_at_end=event_at_end,
    )


def clock_pieces(outline: Outline, calendar: Calendar, exclusions: Sequence[Window]) -> list[ClockPiece]:
    """Tile [start, end) of an outline with classes; adjoining pieces of one state and class are joined."""
    pieces: list[ClockPiece] = []

    def add(from_s: int, to_s: int, clock_class: str, state: str) -> None:
        if from_s >= to_s:
            return
        if pieces:
            last = pieces[-1]
            if last.to_s == from_s and last.clock_class == clock_class and last.ticket_state == state:
                pieces[-1] = ClockPiece(last.from_s, to_s, clock_class, state)
                return
        pieces.append(ClockPiece(from_s, to_s, clock_class, state))

    for stretch in outline.stretches:
        state = stretch.event.ticket_state
        if stretch.clock_role != "running":
            add(stretch.from_s, stretch.to_s, stretch.clock_role, state)
            continue
        at = stretch.from_s
        for opens, closes in calendar.openings(stretch.from_s, stretch.to_s):
            add(at, opens, "outside_calendar", state)
            at = opens
            for excluded_from, excluded_to in overlaps(opens, closes, exclusions):
                add(at, excluded_from, "net", state)
                add(excluded_from, excluded_to, "excluded", state)
                at = excluded_to
            add(at, closes, "net", state)
            at = closes
        add(at, stretch.to_s, "outside_calendar", state)
    return pieces


def breach_instant(pieces: Sequence[ClockPiece], counting: tuple[str, ...], target_seconds: int) -> datetime | None:
    """The last instant at which the running total is still at target: one second of counting later it is
    over. None when the total never exceeds the target. A clock that reaches its target as it is paused
    breaches when it resumes.
    """
    total = 0
    for piece in pieces:
        if piece.clock_class in counting:
            seconds = piece.to_s - piece.from_s
            if total + seconds > target_seconds:
                return to_instant(piece.from_s + target_seconds - total)
            total += seconds
    return None


def ticket_slt(
    events: Sequence[TicketEvent],
    definition: SltDefinition,
    target: SltTarget,
    calendar: Calendar,
    exclusions: Sequence[Window],
    as_of: datetime,
    outline: Outline | None = None,
) -> TicketSlt:
    """The result of one ticket under one definition.

    ``events`` in order, the first one the opening; ``exclusions`` sorted and disjoint
    (``SltReference.exclusion_windows``); ``outline`` only spares computing it again. A history that
    contradicts itself gives status 'invalid' with no seconds at all. Raises ValueError when the ticket is
    opened after ``as_of``.
    """
    as_of_s = to_seconds(as_of)
    if has_contradiction(events):
        return _invalid_result(events)
    outline = outline or outline_ticket(events, definition, as_of_s)
    if outline is None:
        raise ValueError(f"ticket opened {events[0].at.isoformat()}, after as_of {as_of.isoformat()}")
    pieces = clock_pieces(outline, calendar, exclusions)
    totals = dict.fromkeys(("paused", "outside_calendar", "excluded", "net", "stopped"), 0)
    for piece in pieces:
        totals[piece.clock_class] += piece.to_s - piece.from_s
    net_seconds = totals["net"]
    business_seconds = net_seconds + totals["excluded"]
    is_breached_adjusted = net_seconds > target.target_seconds

    if outline.is_canceled:
        slt_status = "canceled"
    elif outline.stop_s is None:
        slt_status = "running_breached" if is_breached_adjusted else "running"
    elif not is_breached_adjusted:
        slt_status = "met"
    elif net_seconds - target.target_seconds <= target.tolerance_seconds:
        slt_status = "within_tolerance"
    else:
        slt_status = "breached"
    return TicketSlt(
        slt_status=slt_status,
        start_at=to_instant(outline.start_s),
        stop_at=None if outline.stop_s is None else to_instant(outline.stop_s),
        wall_seconds=business_seconds + totals["paused"] + totals["outside_calendar"],
        paused_seconds=totals["paused"],
        outside_calendar_seconds=totals["outside_calendar"],
        excluded_seconds=totals["excluded"],
        net_seconds=net_seconds,
        business_seconds=business_seconds,
        is_breached_raw=business_seconds > target.target_seconds,
        is_breached_adjusted=is_breached_adjusted,
        is_forgiven=slt_status == "within_tolerance",
        original_breach_at=breach_instant(pieces, ("net", "excluded"), target.target_seconds),
        breach_at=breach_instant(pieces, ("net",), target.target_seconds),
        target_used_share=half_up_share(net_seconds, target.target_seconds),
        pieces=tuple(pieces),
    )


def _invalid_result(events: Sequence[TicketEvent]) -> TicketSlt:
    return TicketSlt(
        slt_status="invalid",
        start_at=to_instant(to_seconds(events[0].at)),
        stop_at=None,
        wall_seconds=0,
        paused_seconds=0,
        outside_calendar_seconds=0,
        excluded_seconds=0,
        net_seconds=0,
        business_seconds=0,
        is_breached_raw=False,
        is_breached_adjusted=False,
        is_forgiven=False,
        original_breach_at=None,
        breach_at=None,
        target_used_share=Fraction(0),
        pieces=(),
    )


@dataclass(frozen=True)
class TicketResult:
    """One row per ticket and SLT definition, as ``slt.fct_ticket_slt`` should have it."""

    ticket_number: str
    slt_code: str
    slt_version: int
    service_code: str | None
    team_code: str | None
    priority: int
    calendar_code: str
    target_seconds: int
    tolerance_seconds: int
    result: TicketSlt


def calculate_ticket_slts(
    company: Company, reference: SltReference | None = None, source_system: str = "servicenow"
) -> list[TicketResult]:
    """Results of every ticket of the company under every definition of its source in force at its opening.

    source_system says which system's tickets `company.tickets` are.

    Priority, service, contract and item are those at the moment target_policy names; the team is the one at
    stop (at as_of while open). A ticket without a target row has no result.
    """
    reference = reference or load_slt_reference()
    as_of_s = to_seconds(company.as_of_at)
    definitions = [item for item in reference.definitions if item.source_system == source_system]
    results: list[TicketResult] = []
    for ticket in company.tickets:
        events = ticket.events
        is_invalid = has_contradiction(events)
        for definition in definitions:
            outline = None if is_invalid else outline_ticket(events, definition, as_of_s)
            if outline is None and not is_invalid:
                continue
            at_start = events[0] if outline is None else outline.event_at_start
            at_end = events[-1] if outline is None else outline.event_at_end
            opened_s = to_seconds(at_start.at)
            if not is_in_force(utc_date(to_seconds(events[0].at)), definition.effective_from, definition.effective_to):
                continue
            held = at_start if definition.target_policy == "as_of_start" else at_end
            target = reference.target_for(definition, held, opened_s if outline is None else outline.start_s)
            if target is None:
                continue
            calendar = reference.calendar_for(target, held.service_code)
            results.append(
                TicketResult(
                    ticket_number=ticket.number,
                    slt_code=definition.slt_code,
                    slt_version=definition.slt_version,
                    service_code=held.service_code,
                    team_code=at_end.team_code,
                    priority=held.priority,
                    calendar_code=calendar.calendar_code,
                    target_seconds=target.target_seconds,
                    tolerance_seconds=target.tolerance_seconds,
                    result=ticket_slt(
                        events,
                        definition,
                        target,
                        calendar,
                        reference.exclusion_windows(
                            held.service_code, definition.exclusion_audience, held.configuration_item_code
                        ),
                        company.as_of_at,
                        outline,
                    ),
                )
            )
    return results


# ---------------------------------------------------------------------------------------- availability

UP_STATES = frozenset({"OK", "Warn"})
DOWN_STATES = frozenset({"Alert"})


@dataclass(frozen=True)
class AvailabilityMonth:
    """Monitor-seconds of one monitor in one UTC month, as ``slt.fct_availability`` should have them."""

    monitor_id: int
    service_code: str
    period_month: date
    up_seconds: int
    down_seconds: int
    unknown_seconds: int
    maintenance_seconds: int
    excluded_seconds: int
    adjusted_up_seconds: int
    adjusted_down_seconds: int


def next_month(on: date) -> date:
    """The first day of the month after the one a day lies in."""
    return date(on.year + on.month // 12, on.month % 12 + 1, 1)


def midnight_s(on: date) -> int:
    """The instant a UTC day begins."""
    return (on.toordinal() - EPOCH.toordinal()) * DAY_SECONDS


def month_edges(start_s: int, end_s: int) -> Iterator[tuple[date, int, int]]:
    """(month, from, to) of every UTC month that [start, end) touches, cut to it."""
    month = utc_date(start_s).replace(day=1)
    while midnight_s(month) < end_s:
        following = next_month(month)
        yield month, max(start_s, midnight_s(month)), min(end_s, midnight_s(following))
        month = following


def monitor_intervals(
    monitor: Monitor, transitions: Sequence[MonitorTransition], as_of_s: int
) -> list[tuple[int, int, str]]:
    """(from, to, up|down|unknown) from the monitor's creation to as_of; a state holds until the next."""
    ordered = sorted(transitions, key=lambda item: (to_seconds(item.at), str(item.id)))
    marks: list[tuple[int, str]] = []
    if not ordered or to_seconds(monitor.created_at) < to_seconds(ordered[0].at):
        marks.append((to_seconds(monitor.created_at), "unknown"))
    for item in ordered:
        state = item.destination_state
        kind = "up" if state in UP_STATES else "down" if state in DOWN_STATES else "unknown"
        marks.append((to_seconds(item.at), kind))
    ends = [at for at, _ in marks[1:]] + [as_of_s]
    return [
        (at, min(end, as_of_s), kind) for (at, kind), end in zip(marks, ends, strict=True) if at < min(end, as_of_s)
    ]


def calculate_availability(
    company: Company, reference: SltReference | None = None, audience: str = "internal"
) -> list[AvailabilityMonth]:
    """One row per monitor and UTC month from its first known instant to as_of, in monitor and month order."""
    reference = reference or load_slt_reference()
    as_of_s = to_seconds(company.as_of_at)
    transitions: dict[int, list[MonitorTransition]] = defaultdict(list)
    for transition in company.transitions:
        transitions[transition.monitor_id].append(transition)
    downtimes: dict[str, list[Window]] = defaultdict(list)
    for downtime in company.downtimes:
        # Called off after it began, it took effect until then; before, the window is empty and drops out.
        ends_at = min(downtime.end_at, downtime.canceled_at or downtime.end_at)
        downtimes[downtime.service_code].append((to_seconds(downtime.start_at), to_seconds(ends_at)))
    rows: list[AvailabilityMonth] = []
    for monitor in sorted(company.monitors, key=lambda item: item.id):
        maintenance = merge_windows(downtimes[monitor.service_code])
        excluded = reference.exclusion_windows(monitor.service_code, audience)
        removed = merge_windows([*maintenance, *excluded])
        months: dict[date, dict[str, int]] = {}
        for start, end, kind in monitor_intervals(monitor, transitions[monitor.id], as_of_s):
            for month, from_s, to_s in month_edges(start, end):
                totals = months.setdefault(month, defaultdict(int))
                in_maintenance = covered_seconds(from_s, to_s, maintenance)
                in_removed = covered_seconds(from_s, to_s, removed)
                totals[kind] += to_s - from_s
                totals["adjusted_" + kind] += to_s - from_s - in_removed
                totals["maintenance"] += in_maintenance
                totals["excluded"] += in_removed - in_maintenance
        rows.extend(
            AvailabilityMonth(
                monitor_id=monitor.id,
                service_code=monitor.service_code,
                period_month=month,
                up_seconds=totals["up"],
                down_seconds=totals["down"],
                unknown_seconds=totals["unknown"],
                maintenance_seconds=totals["maintenance"],
                excluded_seconds=totals["excluded"],
                adjusted_up_seconds=totals["adjusted_up"],
                adjusted_down_seconds=totals["adjusted_down"],
            )
            for month, totals in sorted(months.items())
        )
    return rows
