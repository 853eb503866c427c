"""The service-level clock by brute force: a ticket's life is walked step by step, every step looked at alone.

Shares no code and no algorithm with the SQL or with the reference calculation of ``ingestion.demo``: no interval is
ever intersected, added to or subtracted from another. For each step of a life (a second, or a minute where every
instant of the ticket is a whole minute) three questions are asked at that step alone: which role the ticket's history
gives the clock, whether the wall clock in the calendar's zone shows an opening, whether an exclusion is on. The
answers give the step its class, and the totals are counts of steps.

Units: instants are whole seconds since 1970-01-01T00:00:00Z, durations whole seconds, intervals half-open.

What the rules leave open, and how it is answered here
------------------------------------------------------
Events
    Several events at one instant? The last holds; the others never were, for the clock as for the values.
    State ``unknown``? The state of the event before is kept; with nothing before, it stays ``unknown``.
    A field without a value? ``is`` does not hold for it, ``is_not`` does. A condition without rows never holds.
Attaching
    When? At the first event where start holds and neither stop nor cancel does, or with
    ``is_attached_when_stopped`` whatever else holds. Never: there is no result. A definition under which no ticket
    could ever attach is refused, and so is one that waits for a resume condition it does not have.
    What came before? Nothing, or with ``is_retroactive_start`` everything since the opening: running, or paused
    where pause held and ``is_retroactive_pause`` says so. ``is_retroactive_pause`` alone does nothing.
Roles
    Which wins? cancel, stop, pause, in that order. With ``resume_policy`` on_condition a paused clock stays paused
    until resume holds; a pause is inherited from the event before, whatever cycle that belonged to, the time
    before attaching included.
Cycles
    reset that holds at an event after attaching and did not at the event before begins a cycle at that instant,
    whatever the event's role, also behind a final first stop. Under ``new_cycle`` so does leaving a stop or a
    cancellation. Only the last cycle is the result.
Ending
    ``first_stop``: the cycle's first stop or cancellation ends it. The other policies: the first of the unbroken row
    of them the cycle ends in. One that was left again counts as running (``running_through``) or not at all
    (``resume``; class ``stopped``). A clock that has not ended runs to as_of, and only such a one has an as_of.
Target
    Whose values? Those of the event in force at the start (``as_of_start``) or at the end (``as_of_stop``). Rows in
    force on the UTC day of the start; a row of the contract beats one of the business unit, that one of the service,
    that one of a starts-within calendar, that the general one. No row, no result.
Calendar and exclusions
    The target's calendar, else the service's, else ``always``. ``of_target``: the chosen row's for the whole clock,
    exclusions of the service held at the chosen moment. ``as_of_event``: each stretch by the row that fits the values
    held then, exclusions of the service held then; a stretch that no row fits is measured as the chosen moment is.
    When is a calendar open? When the local date and wall clock lie in an opening of that weekday in force on that
    date which is no holiday: an hour that a zone repeats is open twice, one it skips is not open at all.
Breach
    Strictly more than the target. Its instant is that of the first counted second beyond the target: a clock that
    reaches the target exactly as it pauses breaches when it goes on, and never if it does not.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from fractions import Fraction
from functools import cache, cached_property
from zoneinfo import ZoneInfo

CLASSES = ("paused", "outside_calendar", "excluded", "net", "stopped")
ENDED = ("stopped", "canceled")
CONDITION_FIELDS = ("ticket_state", "priority", "service_code", "team_code", "contract_code")


# --- what is governed ---


@dataclass(frozen=True)
class Opening:
    """An opening of one weekday in local minutes after midnight (24:00 = 1440), in force on a range of dates."""

    iso_weekday: int
    opens_at: int
    closes_at: int
    effective_from: date
    effective_to: date | None


@dataclass(frozen=True)
class Calendar:
    """Openings of the week in a zone, and local dates on which there are none."""

    calendar_code: str
    time_zone: str
    openings: tuple[Opening, ...]
    holidays: frozenset[date] = frozenset()
    _known: dict[int, bool] = field(init=False, default_factory=dict, repr=False, compare=False)

    def is_open(self, at: int) -> bool:
        """Whether the wall clock shows an opening at this instant."""
        if at % 60:
            return self._look(at)
        if at not in self._known:
            self._known[at] = self._look(at)
        return self._known[at]

    def _look(self, at: int) -> bool:
        local = datetime.fromtimestamp(at, self._zone)
        today = local.date()
        if today in self.holidays:
            return False
        minute = local.hour * 60 + local.minute
        return any(
            opening.iso_weekday == local.isoweekday()
            and opening.opens_at <= minute < opening.closes_at
            and _in_force(today, opening)
            for opening in self.openings
        )

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


@dataclass(frozen=True)
class Condition:
    """One comparison: rows of one clause must all hold, any clause will do."""

    condition: str
    clause: int
    field: str
    operator: str
    value: str


@dataclass(frozen=True)
class Definition:
    """A version of a service-level target with all its policies and conditions."""

    slt_code: str
    slt_version: int
    source_system: str
    phase: str
    reopen_policy: str
    target_policy: str
    calendar_policy: str
    is_attached_when_stopped: bool
    is_retroactive_start: bool
    is_retroactive_pause: bool
    resume_policy: str
    exclusion_audience: str
    at_risk_share: Fraction
    effective_from: date
    effective_to: date | None
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Target:
    """Seconds allowed to tickets of a priority; a None stands for any."""

    slt_code: str
    slt_version: int
    contract_code: str | None
    business_unit_code: str | None
    service_code: str | None
    priority: int
    starts_within_calendar_code: str | None
    calendar_code: str | None
    target_seconds: int
    tolerance_seconds: int
    effective_from: date
    effective_to: date | None


@dataclass(frozen=True)
class Request:
    """A requested exclusion; ``flaw`` names what it lacks to take effect, '' for nothing."""

    exclusion_id: str
    scope_type: str
    scope_code: str
    category: str
    flaw: str
    starts_at: int
    ends_at: int


@dataclass
class Governed:
    """All reference data, by code; ``counted`` holds the (category, audience) pairs that exclude anything."""

    calendars: dict[str, Calendar]
    definitions: list[Definition]
    targets: list[Target]
    service_calendars: dict[str, str | None]
    service_vendors: dict[str, str | None]
    contract_business_units: dict[str, str | None]
    requests: list[Request]
    counted: frozenset[tuple[str, str]]
    _known: dict[tuple[str | None, str | None, str], list[Request]] = field(
        init=False, default_factory=dict, repr=False
    )
    _known_at: dict[tuple[str | None, str | None, str], dict[int, bool]] = field(
        init=False, default_factory=dict, repr=False
    )

    def requests_for(self, event: Event, audience: str) -> list[Request]:
        """The requests in effect that reach a ticket standing so."""
        key = (event.service_code, event.configuration_item_code, audience)
        if key not in self._known:
            reached = {
                ("all", ""),
                ("service", event.service_code),
                ("vendor", self.service_vendors.get(event.service_code or "")),
                ("configuration_item", event.configuration_item_code),
            }
            self._known[key] = [
                request
                for request in self.requests
                if not request.flaw
                and (request.category, audience) in self.counted
                and (request.scope_type, request.scope_code) in reached
            ]
        return self._known[key]

    def is_excluded(self, event: Event, audience: str, at: int) -> bool:
        """Whether an exclusion that reaches a ticket standing so is on at this instant."""
        requests = self.requests_for(event, audience)
        if not requests:
            return False
        known = self._known_at.setdefault((event.service_code, event.configuration_item_code, audience), {})
        if at not in known:
            known[at] = any(request.starts_at <= at < request.ends_at for request in requests)
        return known[at]


# --- tickets ---


@dataclass(frozen=True)
class Event:
    """How a ticket stands from an instant on."""

    at: int
    ticket_state: str
    priority: int | None
    service_code: str | None
    team_code: str | None
    contract_code: str | None
    configuration_item_code: str | None


@dataclass(frozen=True)
class Ticket:
    """A ticket and its history in the order recorded; the first event is the opening."""

    ticket_number: str
    source_system: str
    events: tuple[Event, ...]

    @property
    def ticket_key(self) -> str:
        """Key of the ticket in the warehouse."""
        return f"{self.source_system}:{self.ticket_number}"

    @property
    def opened_at(self) -> int:
        """Instant of the opening."""
        return self.events[0].at


# --- answers ---


@dataclass(frozen=True)
class Piece:
    """Consecutive steps of one class under one event; the pieces of a clock tile it from start to end."""

    from_at: int
    to_at: int
    clock_class: str
    ticket_state: str


@dataclass(frozen=True)
class Answer:
    """A row of ``slt.fct_ticket_slt``, column by column, and what every step of it was."""

    slt_version: int
    phase: str
    service_code: str | None
    team_code: str | None
    contract_code: str | None
    business_unit_code: str | None
    configuration_item_code: str | None
    priority: int
    calendar_code: str
    target_seconds: int
    tolerance_seconds: int
    cycle_number: int
    start_at: int
    stop_at: int | None
    canceled_at: int | None
    end_at: int
    as_of_at: int | None
    slt_status: str
    wall_seconds: int
    paused_seconds: int
    outside_calendar_seconds: int
    excluded_seconds: int
    net_seconds: int
    stopped_seconds: int
    business_seconds: int
    is_breached_raw: bool
    is_breached_adjusted: bool
    is_forgiven: bool
    original_breach_at: int | None
    breach_at: int | None
    target_used_share: Fraction
    is_at_risk: bool
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Moment:
    """A settled event with what the state machine made of it; cycle 0 is the time before the clock attaches."""

    event: Event
    role: str
    cycle: int


def holds(definition: Definition, condition: str, values: dict[str, str | None]) -> bool:
    """Whether a condition holds for a ticket standing so."""
    clauses: dict[int, list[Condition]] = {}
    for row in definition.conditions:
        if row.condition == condition:
            clauses.setdefault(row.clause, []).append(row)
    return any(
        all((values[row.field] == row.value) == (row.operator == "is") for row in rows) for rows in clauses.values()
    )


def values_of(event: Event) -> dict[str, str | None]:
    """What conditions compare, as text."""
    return {
        "ticket_state": event.ticket_state,
        "priority": None if event.priority is None else str(event.priority),
        "service_code": event.service_code,
        "team_code": event.team_code,
        "contract_code": event.contract_code,
    }


@cache
def refusal_reason(definition: Definition) -> str | None:
    """Why a definition is refused: every combination of the values named, and of others, is tried."""
    conditions = {row.condition for row in definition.conditions}
    if "start" not in conditions:
        return "start_condition_missing"
    named: dict[str, set[str | None]] = {name: {None, "(another)"} for name in CONDITION_FIELDS}
    for row in definition.conditions:
        if row.condition in ("start", "stop", "cancel"):
            named[row.field].add(row.value)
    can_start = False
    for combination in itertools.product(*named.values()):
        values = dict(zip(named, combination, strict=True))
        if holds(definition, "start", values):
            can_start = True
            if definition.is_attached_when_stopped or not (
                holds(definition, "stop", values) or holds(definition, "cancel", values)
            ):
                break
    else:
        return "start_implies_stop" if can_start else "start_contradicts_itself"
    if definition.resume_policy == "on_condition" and "resume" not in conditions:
        return "resume_condition_missing"
    return None


def settle(events: Sequence[Event]) -> list[Event]:
    """One event per instant, the last; an unknown state replaced by the one before."""
    settled: list[Event] = []
    state = "unknown"
    for event in events:
        state = state if event.ticket_state == "unknown" else event.ticket_state
        if settled and settled[-1].at == event.at:
            settled.pop()
        settled.append(replace(event, ticket_state=state))
    return settled


def run_machine(ticket: Ticket, definition: Definition) -> list[Moment]:
    """The history event by event: role and cycle after each."""
    moments: list[Moment] = []
    was_reset = False
    for event in settle(ticket.events):
        values = values_of(event)
        start, stop, pause, resume, cancel, reset = (
            holds(definition, name, values) for name in ("start", "stop", "pause", "resume", "cancel", "reset")
        )
        before = moments[-1].role if moments else None
        cycle = moments[-1].cycle if moments else 0
        can_attach = start and (definition.is_attached_when_stopped or not (stop or cancel))
        if cycle == 0 and not can_attach:
            is_paused = pause and definition.is_retroactive_start and definition.is_retroactive_pause
            role = "paused" if is_paused else "running"
        elif cancel:
            role = "canceled"
        elif stop:
            role = "stopped"
        elif pause or (definition.resume_policy == "on_condition" and before == "paused" and not resume):
            role = "paused"
        else:
            role = "running"
        if cycle == 0:
            cycle = 1 if can_attach else 0
        else:
            is_left = definition.reopen_policy == "new_cycle" and before in ENDED and role not in ENDED
            if is_left or (reset and not was_reset):
                cycle += 1
        moments.append(Moment(event, role, cycle))
        was_reset = reset
    return moments


def _in_force(on: date, dated: Opening | Definition | Target) -> bool:
    return dated.effective_from <= on and (dated.effective_to is None or on <= dated.effective_to)


def _utc_day(at: int) -> date:
    return datetime.fromtimestamp(at, UTC).date()


def choose_target(governed: Governed, definition: Definition, event: Event, start_at: int) -> Target | None:
    """The most specific row that fits the values held and the start; None where no row fits."""
    business_unit_code = governed.contract_business_units.get(event.contract_code or "")
    best: tuple[tuple[bool, ...], Target] | None = None
    for target in governed.targets:
        if (target.slt_code, target.slt_version) != (definition.slt_code, definition.slt_version):
            continue
        if target.priority != event.priority or not _in_force(_utc_day(start_at), target):
            continue
        if target.contract_code is not None and target.contract_code != event.contract_code:
            continue
        if target.business_unit_code is not None and target.business_unit_code != business_unit_code:
            continue
        if target.service_code is not None and target.service_code != event.service_code:
            continue
        within = target.starts_within_calendar_code
        if within is not None and not governed.calendars[within].is_open(start_at):
            continue
        rank = (
            target.contract_code is not None,
            target.business_unit_code is not None,
            target.service_code is not None,
            within is not None,
        )
        if best is None or rank > best[0]:
            best = (rank, target)
        elif rank == best[0]:
            raise ValueError(f"two rows of slt_target fit alike: {best[1]} and {target}")
    return best[1] if best else None


def calendar_of(governed: Governed, target: Target, event: Event) -> Calendar:
    """The target's calendar, else the service's, else around the clock."""
    code = target.calendar_code or governed.service_calendars.get(event.service_code or "") or "always"
    return governed.calendars[code]


def _step(ticket: Ticket, definition: Definition, governed: Governed, as_of_at: int) -> int:
    """A minute where nothing of the ticket happens within one, else a second."""
    instants = [as_of_at, *(event.at for event in ticket.events)]
    for event in ticket.events:
        for request in governed.requests_for(event, definition.exclusion_audience):
            instants += [request.starts_at, request.ends_at]
    return 1 if any(at % 60 for at in instants) else 60


def _steps(moments: Sequence[Moment], start_at: int, end_at: int, step: int) -> Iterator[tuple[int, int]]:
    """Every step of a clock, with the place of the moment in force."""
    place = 0
    for at in range(start_at, end_at, step):
        while place + 1 < len(moments) and moments[place + 1].event.at <= at:
            place += 1
        yield at, place


def _in_force_at(moments: Sequence[Moment], at: int) -> Event:
    return [moment.event for moment in moments if moment.event.at <= at][-1]


def answer(ticket: Ticket, definition: Definition, governed: Governed, as_of_at: int) -> Answer | None:
    """The clock of one ticket under one definition; None where it has none."""
    if refusal_reason(definition):
        return None
    if definition.source_system != ticket.source_system or not _in_force(_utc_day(ticket.opened_at), definition):
        return None
    moments = run_machine(ticket, definition)
    cycle = moments[-1].cycle
    if cycle == 0:
        return None
    cycle_moments = [moment for moment in moments if moment.cycle == cycle]

    # where it begins and where it ends
    start_at = cycle_moments[0].event.at
    if cycle == 1 and definition.is_retroactive_start:
        start_at = ticket.opened_at
    ending: Moment | None = None
    if definition.reopen_policy == "first_stop":
        ending = next((moment for moment in cycle_moments if moment.role in ENDED), None)
    else:
        for moment in cycle_moments:
            if moment.role not in ENDED:
                ending = None
            elif ending is None:
                ending = moment
    end_at = as_of_at if ending is None else ending.event.at
    stop_at = end_at if ending and ending.role == "stopped" else None
    canceled_at = end_at if ending and ending.role == "canceled" else None

    # what it is held to
    at_end = _in_force_at(moments, end_at)
    chosen = _in_force_at(moments, start_at) if definition.target_policy == "as_of_start" else at_end
    target = choose_target(governed, definition, chosen, start_at)
    if target is None:
        return None
    chosen_calendar = calendar_of(governed, target, chosen)

    # the walk
    step = _step(ticket, definition, governed, as_of_at)
    seconds = dict.fromkeys(CLASSES, 0)
    original_breach_at: int | None = None
    breach_at: int | None = None
    classes: list[tuple[int, str, int]] = []
    measured: dict[int, tuple[Calendar, Event]] = {}
    for at, place in _steps(moments, start_at, end_at, step):
        moment = moments[place]
        role = moment.role
        if role in ENDED:
            role = "stopped" if definition.reopen_policy == "resume" else "running"
        if role != "running":
            clock_class = role
        else:
            calendar, scoped = chosen_calendar, chosen
            if definition.calendar_policy == "as_of_event":
                if place not in measured:
                    fitting = choose_target(governed, definition, moment.event, start_at)
                    if fitting:
                        measured[place] = (calendar_of(governed, fitting, moment.event), moment.event)
                    else:
                        measured[place] = (chosen_calendar, chosen)
                calendar, scoped = measured[place]
            if not calendar.is_open(at):
                clock_class = "outside_calendar"
            elif governed.is_excluded(scoped, definition.exclusion_audience, at):
                clock_class = "excluded"
            else:
                clock_class = "net"

        # the first counted second beyond the target lies in the step that takes the total beyond it
        if clock_class in ("excluded", "net"):
            left = target.target_seconds - seconds["excluded"] - seconds["net"]
            if original_breach_at is None and left < step:
                original_breach_at = at + left
        if clock_class == "net":
            left = target.target_seconds - seconds["net"]
            if breach_at is None and left < step:
                breach_at = at + left
        seconds[clock_class] += step
        classes.append((at, clock_class, place))

    business_seconds = seconds["excluded"] + seconds["net"]
    net_seconds = seconds["net"]
    is_breached_adjusted = net_seconds > target.target_seconds
    if canceled_at is not None:
        slt_status = "canceled"
    elif stop_at is None:
        slt_status = "running_breached" if is_breached_adjusted else "running"
    elif not is_breached_adjusted:
        slt_status = "met"
    elif net_seconds <= target.target_seconds + target.tolerance_seconds:
        slt_status = "within_tolerance"
    else:
        slt_status = "breached"
    return Answer(
        slt_version=definition.slt_version,
        phase=definition.phase,
        service_code=chosen.service_code,
        team_code=at_end.team_code,
        contract_code=chosen.contract_code,
        business_unit_code=governed.contract_business_units.get(chosen.contract_code or ""),
        configuration_item_code=chosen.configuration_item_code,
        priority=target.priority,
        calendar_code=chosen_calendar.calendar_code,
        target_seconds=target.target_seconds,
        tolerance_seconds=target.tolerance_seconds,
        cycle_number=cycle,
        start_at=start_at,
        stop_at=stop_at,
        canceled_at=canceled_at,
        end_at=end_at,
        as_of_at=as_of_at if ending is None else None,
        slt_status=slt_status,
        wall_seconds=sum(seconds.values()),
        paused_seconds=seconds["paused"],
        outside_calendar_seconds=seconds["outside_calendar"],
        excluded_seconds=seconds["excluded"],
        net_seconds=net_seconds,
        stopped_seconds=seconds["stopped"],
        business_seconds=business_seconds,
        is_breached_raw=business_seconds > target.target_seconds,
        is_breached_adjusted=is_breached_adjusted,
        is_forgiven=slt_status == "within_tolerance",
        original_breach_at=original_breach_at,
        breach_at=breach_at,
        target_used_share=_share(net_seconds, target.target_seconds),
        is_at_risk=slt_status == "running" and net_seconds >= definition.at_risk_share * target.target_seconds,
        pieces=tuple(_pieces(classes, moments, step)),
    )


def _share(part: int, whole: int) -> Fraction:
    """part / whole to six places, halves up."""
    millionths, rest = divmod(part * 1_000_000, whole)
    return Fraction(millionths + (2 * rest >= whole), 1_000_000)


def _pieces(classes: Sequence[tuple[int, str, int]], moments: Sequence[Moment], step: int) -> Iterator[Piece]:
    for (clock_class, place), group in itertools.groupby(classes, key=lambda item: item[1:]):
        ats = [at for at, _, _ in group]
        yield Piece(ats[0], ats[-1] + step, clock_class, moments[place].event.ticket_state)
