"""What the clock is tried on: calendars, definitions, targets, exclusions and tickets drawn where clocks go wrong.

``draw_world`` draws a whole company's worth of reference data and tickets with hypothesis, always the same one for
the same seed: the tickets go through the warehouse in one batch, so examples are collected, not tried one by one.

Sources of tickets come in two kinds. Those of ``settled`` sources live around any of the anchors, and every
definition of theirs stops in state closed, which all their tickets end in: a brute-force walk has to end. Those of
``live`` sources lie near as_of, their definitions are free, and they may run to as_of.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.property.clock_oracle import (
    Calendar,
    Condition,
    Definition,
    Event,
    Governed,
    Opening,
    Request,
    Target,
    Ticket,
)

SEED = 20251102
SETTLED_SOURCES = 28
LIVE_SOURCES = 14
SERVICES_PER_SOURCE = 5
CALENDARS_PER_SOURCE = 3
TICKETS_PER_SOURCE = 64
UNTRIED_DEFINITIONS = 120  # no ticket of theirs: only whether they are refused is told
SECONDS_SOURCES = 2  # of the live ones: instants at odd seconds, lives of hours

HOUR = 3600
DAY = 86_400
ALWAYS = "always"


def instant(text: str) -> int:
    """'2025-10-26 01:00' (UTC) in seconds since the epoch."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


AS_OF = instant("2025-11-03 09:00")
EARLIER_AS_OF = instant("2025-11-02 03:00")

# Instants (UTC) at which four zones change their offset, both ways; Australia/Lord_Howe by half an hour. India's
# offset is a half hour all year.
ZONES = ("Europe/Dublin", "America/New_York", "Australia/Lord_Howe", "Pacific/Auckland", "Asia/Kolkata")
CHANGES = tuple(
    instant(text)
    for text in (
        "2025-03-09 07:00",  # New York to summer time
        "2025-03-30 01:00",  # Dublin to summer time
        "2025-04-05 14:00",  # Auckland leaves summer time
        "2025-04-05 15:00",  # Lord Howe leaves summer time
        "2025-09-27 14:00",  # Auckland to summer time
        "2025-10-04 15:30",  # Lord Howe to summer time
        "2025-10-26 01:00",  # Dublin leaves summer time
        "2025-11-02 06:00",  # New York leaves summer time
    )
)
CHANGING_ZONES = (ZONES[1], ZONES[0], ZONES[3], ZONES[2], ZONES[3], ZONES[2], ZONES[0], ZONES[1])
LATE_CHANGES = CHANGES[-2:]
CHANGE_DAYS = tuple(sorted({datetime.fromtimestamp(at, UTC).date() for at in CHANGES}))

# Local minutes that some zone skips or repeats on a Sunday: 01:00 to 03:00. False keeps the ends of openings out of
# them: the tree refuses such calendars (assert_calendar_boundaries_are_unambiguous).
ENDS_IN_CHANGED_HOURS = False
CHANGED_MINUTES = range(60, 180)

STATES = ("new", "in_progress", "on_hold", "awaiting", "resolved", "closed", "canceled")
TEAMS = ("t1", "t2", "t3")
PRIORITIES = (1, 2, 3)
AUDIENCES = ("customer", "internal", "personal")
CATEGORIES = ("force_majeure", "vendor_outage", "planned_maintenance")
# Which categories each audience leaves out.
COUNTED = frozenset(
    {
        *((category, "customer") for category in CATEGORIES),
        ("force_majeure", "internal"),
        ("vendor_outage", "internal"),
        ("force_majeure", "personal"),
        ("planned_maintenance", "personal"),
    }
)
BUSINESS_UNITS = ("retail", "wholesale", "corporate")
CONTRACTS = {"gold": "retail", "silver": "retail", "bulk": "wholesale", "own": "corporate", "loose": None}
VENDORS = ("north-hosting", "south-hosting")
ITEMS = ("ci-1", "ci-2", "ci-3")


@dataclass
class World:
    """Everything one batch through the warehouse needs."""

    governed: Governed
    tickets: list[Ticket] = field(default_factory=list)
    as_of_at: int = AS_OF
    # instants of runs before: what was recorded since each came in a batch of its own
    earlier_as_of: tuple[int, ...] = (EARLIER_AS_OF,)


# --- calendars ---

quarter_hours = st.integers(0, 96).map(lambda quarters: quarters * 15)
clock_minutes = st.one_of(quarter_hours, quarter_hours, st.integers(0, 1440), st.sampled_from((0, 540, 1020, 1440)))


def _is_end_allowed(minute: int, iso_weekday: int) -> bool:
    return ENDS_IN_CHANGED_HOURS or iso_weekday != 7 or minute not in CHANGED_MINUTES


@st.composite
def day_openings(draw: DrawFn, iso_weekday: int) -> list[tuple[int, int]]:
    """No to three openings of one weekday in order, which may touch; often a whole day."""
    kind = draw(st.sampled_from(("closed", "whole", "office", "one", "two", "two", "three")))
    if kind == "closed":
        return []
    if kind == "whole":
        return [(0, 1440)]
    if kind == "office":
        return [(540, 720), (720, 1020)]
    count = {"one": 2, "two": 4, "three": 6}[kind]
    ends = draw(st.lists(clock_minutes, min_size=count, max_size=count, unique=True).map(sorted))
    ends = [minute for minute in ends if _is_end_allowed(minute, iso_weekday)]
    pairs = list(zip(ends[::2], ends[1::2], strict=False))
    if len(pairs) >= 2 and draw(st.booleans()):
        pairs[1] = (pairs[0][1], pairs[1][1])
    return pairs


@st.composite
def calendars(draw: DrawFn, zone: str) -> tuple[str, tuple[Opening, ...], frozenset[date]]:
    """A week of openings in a zone, often with new hours from a day on which an offset changes, and holidays."""
    starts = [date(2020, 1, 1)]
    if draw(st.booleans()):
        starts.append(draw(st.sampled_from(CHANGE_DAYS)) + timedelta(days=draw(st.integers(-2, 2))))
    openings = []
    for place, effective_from in enumerate(starts):
        effective_to = starts[place + 1] - timedelta(days=1) if place + 1 < len(starts) else None
        for iso_weekday in range(1, 8):
            for opens_at, closes_at in draw(day_openings(iso_weekday)):
                openings.append(Opening(iso_weekday, opens_at, closes_at, effective_from, effective_to))
    days = st.builds(lambda day, by: day + timedelta(days=by), st.sampled_from(CHANGE_DAYS), st.integers(-3, 3))
    return zone, tuple(openings), frozenset(draw(st.lists(days, max_size=3)))


# --- definitions and targets ---


def _any_of(condition: str, states: list[str], clause: int = 1) -> list[Condition]:
    return [
        Condition(condition, clause + place, "ticket_state", "is", state) for place, state in enumerate(sorted(states))
    ]


def _other_clause(draw: DrawFn, condition: str, clause: int) -> list[Condition]:
    """One clause of one or two comparisons on fields of every kind."""
    values: dict[str, tuple[str, ...]] = {
        "ticket_state": STATES,
        "priority": tuple(str(priority) for priority in PRIORITIES),
        "team_code": TEAMS,
        "contract_code": tuple(CONTRACTS),
    }
    rows = []
    for name in draw(st.lists(st.sampled_from(sorted(values)), min_size=1, max_size=2, unique=True)):
        operator = draw(st.sampled_from(("is", "is", "is_not")))
        rows.append(Condition(condition, clause, name, operator, draw(st.sampled_from(values[name]))))
    return rows


@st.composite
def condition_sets(draw: DrawFn, is_settled: bool) -> tuple[Condition, ...]:
    """Conditions of one definition: mostly by state, now and then by anything; rarely one that cannot attach."""
    rows: list[Condition] = []

    def states(options: tuple[str, ...], min_size: int = 0) -> list[str]:
        return draw(st.lists(st.sampled_from(options), min_size=min_size, unique=True))

    kind = draw(st.integers(0, 11))
    rows += _any_of(
        "start",
        ["new", "in_progress", *states(("on_hold", "awaiting", "unknown", "resolved"))] if kind else states(STATES, 1),
    )
    if kind == 1:
        rows = _other_clause(draw, "start", 1)
    elif kind == 2:
        rows += _other_clause(draw, "start", 9)
    elif kind == 3:
        rows = [Condition("start", 1, "priority", "is_not", "3"), Condition("start", 1, "ticket_state", "is", "new")]
    rows += _any_of("stop", ["closed", *states(("resolved", "resolved", "in_progress"))])
    if draw(st.integers(0, 5)) == 0:
        rows += _other_clause(draw, "stop", 9)
    if draw(st.integers(0, 3)):
        rows += _any_of("pause", states(("on_hold", "awaiting"), 1))
    if draw(st.integers(0, 5)) == 0:
        rows += _other_clause(draw, "pause", 9)
    if draw(st.integers(0, 15)):
        rows += _any_of("resume", states(("in_progress", "new", "awaiting"), 1))
    if draw(st.integers(0, 3)):
        rows += _any_of("cancel", ["canceled"])
    if draw(st.integers(0, 3)) == 0:
        rows += _other_clause(draw, "reset", 1)
    if not is_settled and draw(st.integers(0, 3)) == 0:
        rows = [row for row in rows if row.condition != "stop"] + _other_clause(draw, "stop", 1)
    return tuple(rows)


@st.composite
def refusable_condition_sets(draw: DrawFn) -> tuple[Condition, ...]:
    """Few conditions on few fields, so that many a start implies the stop, contradicts itself or is missing."""
    rows: list[Condition] = []
    counts = {"start": (0, 1, 2), "stop": (1, 3, 3), "cancel": (0, 1, 1), "resume": (0, 1, 1)}
    for condition, clause_counts in counts.items():
        for clause in range(draw(st.sampled_from(clause_counts))):
            for _ in range(draw(st.sampled_from((1, 2, 2)))):
                name, values = draw(st.sampled_from((("ticket_state", STATES[:2]), ("priority", ("1", "2")))))
                operator = draw(st.sampled_from(("is", "is_not")))
                rows.append(Condition(condition, clause, name, operator, draw(st.sampled_from(values))))
    return tuple(dict.fromkeys(rows))


@st.composite
def definitions(draw: DrawFn, slt_code: str, source_system: str, is_settled: bool) -> list[Definition]:
    """One SLT with every policy drawn; sometimes in two versions, the second from a day among the anchors on."""
    starts = [date(2020, 1, 1)]
    if draw(st.integers(0, 3)) == 0:
        starts.append(draw(st.sampled_from(CHANGE_DAYS)))
    found = []
    for place, effective_from in enumerate(starts):
        found.append(
            Definition(
                slt_code=slt_code,
                slt_version=place + 1,
                source_system=source_system,
                phase=draw(st.sampled_from(("response", "resolution"))),
                reopen_policy=draw(
                    st.sampled_from(("first_stop", "running_through", "resume", "new_cycle", "running_through"))
                ),
                target_policy=draw(st.sampled_from(("as_of_start", "as_of_stop"))),
                calendar_policy=draw(st.sampled_from(("of_target", "as_of_event"))),
                is_attached_when_stopped=draw(st.integers(0, 2)) == 0,
                is_retroactive_start=draw(st.booleans()),
                is_retroactive_pause=draw(st.booleans()),
                resume_policy=draw(st.sampled_from(("pause_not_met", "on_condition", "pause_not_met"))),
                exclusion_audience=draw(st.sampled_from(AUDIENCES)),
                at_risk_share=Fraction(draw(st.sampled_from((50, 75, 90))), 100),
                effective_from=effective_from,
                effective_to=starts[place + 1] - timedelta(days=1) if place + 1 < len(starts) else None,
                conditions=draw(condition_sets(is_settled)),
            )
        )
    return found


@st.composite
def targets(
    draw: DrawFn, definition: Definition, calendar_codes: tuple[str, ...], service_codes: tuple[str, ...]
) -> list[Target]:
    """The general row of most priorities, and rows for contracts, units, services and times of start."""
    seconds = st.one_of(
        st.integers(1, 60).map(lambda minutes: minutes * 60),
        st.integers(1, 40).map(lambda hours: hours * HOUR),
        st.integers(1, 60_000),
    )
    within = draw(st.sampled_from(calendar_codes))
    keys: list[dict[str, Any]] = [{}] if draw(st.integers(0, 19)) else []
    keys += draw(
        st.lists(
            st.sampled_from(
                (
                    {"contract_code": "gold"},
                    {"contract_code": "bulk"},
                    {"contract_code": "gold", "service_code": service_codes[0]},
                    {"business_unit_code": "retail"},
                    {"business_unit_code": "wholesale", "starts_within_calendar_code": within},
                    {"service_code": service_codes[0]},
                    {"service_code": service_codes[1], "starts_within_calendar_code": within},
                    {"starts_within_calendar_code": within},
                )
            ),
            max_size=4,
            unique_by=lambda key: tuple(sorted(key.items())),
        )
    )
    found = []
    for key in keys:
        for priority in PRIORITIES:
            if key and draw(st.integers(0, 3)) == 0:
                continue
            starts = [date(2020, 1, 1)]
            if draw(st.integers(0, 5)) == 0:
                starts.append(draw(st.sampled_from(CHANGE_DAYS)))
            for place, effective_from in enumerate(starts):
                found.append(
                    Target(
                        slt_code=definition.slt_code,
                        slt_version=definition.slt_version,
                        contract_code=key.get("contract_code"),
                        business_unit_code=key.get("business_unit_code"),
                        service_code=key.get("service_code"),
                        priority=priority,
                        starts_within_calendar_code=key.get("starts_within_calendar_code"),
                        calendar_code=draw(st.sampled_from((None, ALWAYS, *calendar_codes))),
                        target_seconds=draw(seconds),
                        tolerance_seconds=draw(st.sampled_from((0, 60, 900, 7200))),
                        effective_from=effective_from,
                        effective_to=starts[place + 1] - timedelta(days=1) if place + 1 < len(starts) else None,
                    )
                )
    return found


# --- exclusions ---


@st.composite
def windows(draw: DrawFn, anchors: tuple[int, ...]) -> tuple[int, int]:
    """A window of minutes to days around an anchor."""
    starts_at = draw(st.sampled_from(anchors)) + 60 * draw(st.integers(-2000, 900))
    return starts_at, starts_at + 60 * draw(st.one_of(st.integers(1, 300), st.integers(300, 3000)))


@st.composite
def exclusion_sets(
    draw: DrawFn, service_code: str, anchors: tuple[int, ...], is_by_second: bool
) -> list[tuple[str, str, str, str, int, int]]:
    """One to four requests for one service, overlapping as they fall: (scope type, code, category, flaw, from, to)."""
    found = []
    for _ in range(draw(st.sampled_from((1, 2, 2, 3, 3, 4)))):
        if found and draw(st.integers(0, 3)) == 0:
            # the same window again, or one that touches it
            starts_at = found[-1][4 + draw(st.integers(0, 1))]
            ends_at = starts_at + 60 * draw(st.integers(1, 600))
        else:
            starts_at, ends_at = draw(windows(anchors))
        if is_by_second:
            starts_at, ends_at = AS_OF - draw(st.integers(0, 4 * HOUR)), AS_OF - draw(st.integers(0, 2 * HOUR))
            starts_at, ends_at = min(starts_at, ends_at), max(starts_at, ends_at)
        category = draw(st.sampled_from(CATEGORIES))
        flaw = draw(st.sampled_from(("", "", "", "", "", "", "", "", "not_approved", "approver_is_requester")))
        found.append(("service", service_code, category, flaw, starts_at, ends_at))
    return found


# --- tickets ---

gap_minutes = st.one_of(
    st.sampled_from((0, 0, 1, 15, 30, 60, 120, 480, 960)), st.integers(0, 240), st.integers(0, 1500)
)
gap_seconds = st.one_of(st.sampled_from((0, 0, 1, 59, 60, 61, 900, 3600)), st.integers(0, 2500))


@st.composite
def tickets(
    draw: DrawFn,
    anchors: tuple[int, ...],
    service_codes: tuple[str, ...],
    is_settled: bool,
    is_by_second: bool,
) -> tuple[Event, ...]:
    """Two to eight events around a change of an offset, several of them at one instant now and then."""
    if is_by_second:
        at = AS_OF - draw(st.integers(60, 4 * HOUR))
    elif is_settled:
        at = draw(st.sampled_from(anchors)) + 60 * draw(st.integers(-2200, 600))
    elif draw(st.integers(0, 19)) == 0:
        at = draw(st.sampled_from(CHANGES[4:6])) + 60 * draw(st.integers(-1500, 600))
    else:
        at = draw(st.sampled_from(anchors)) + 60 * draw(st.integers(-2200, 1200))
    count = draw(st.sampled_from((4, 2, 3, 5, 5, 6, 7, 8)))
    is_plain = draw(st.sampled_from((False, True)))  # opened as new, nothing but its state ever changes
    state = draw(st.sampled_from(("new", "new", "new", "in_progress", "on_hold", "unknown", "resolved")))
    state = "new" if is_plain else state
    priority: int | None = draw(st.sampled_from(PRIORITIES))
    service_code: str | None = draw(st.sampled_from((*service_codes, service_codes[0], None)))
    team_code: str | None = draw(st.sampled_from(TEAMS))
    contract_code: str | None = draw(st.sampled_from((None, *CONTRACTS)))
    item_code: str | None = draw(st.sampled_from((None, None, None, None, *ITEMS)))
    events = []
    for place in range(count):
        if place:
            at += draw(gap_seconds) if is_by_second else 60 * draw(gap_minutes)
            state = draw(st.sampled_from((*STATES, "in_progress", "on_hold", "resolved", "unknown")))
            # what else an update changes
            changed = -1 if is_plain else draw(st.integers(0, 15))
            if changed == 0:
                priority = draw(st.sampled_from((None, *PRIORITIES)))
            elif changed == 1:
                service_code = draw(st.sampled_from((*service_codes, None)))
            elif changed == 2:
                contract_code = draw(st.sampled_from((None, *CONTRACTS)))
            elif changed == 3:
                team_code = draw(st.sampled_from((None, *TEAMS)))
            elif changed == 4:
                item_code = draw(st.sampled_from((None, *ITEMS)))
            elif changed == 5:
                priority = draw(st.sampled_from(PRIORITIES))
                service_code = draw(st.sampled_from(service_codes))
        if is_settled and place == count - 1:
            state = "closed"
        if at > AS_OF:
            break
        events.append(Event(at, state, priority, service_code, team_code, contract_code, item_code))
    return tuple(events)


# --- a world ---


class SeededProvider(HypothesisProvider):
    """Draws by the seed alone.

    Hypothesis mixes constants from the source of every module loaded so far into what it draws, so that the same
    seed gives another company when other tests ran before in the process.
    """

    def _maybe_draw_constant(self, *arguments: Any, **options: Any) -> None:
        return None


AVAILABLE_PROVIDERS["seeded"] = SeededProvider


def collect(strategy: SearchStrategy[Any], count: int, number: int) -> list[Any]:
    """The first examples hypothesis draws from a strategy under a seed of its own."""
    found: list[Any] = []

    @seed(SEED + number)
    @settings(
        max_examples=count,
        backend="seeded",
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw_one(example: Any) -> None:
        found.append(example)

    draw_one()
    return found[:count]


@st.composite
def sources(draw: DrawFn, number: int) -> dict[str, Any]:
    """The reference data of one source of tickets."""
    is_settled = number < SETTLED_SOURCES
    is_by_second = number >= SETTLED_SOURCES + LIVE_SOURCES - SECONDS_SOURCES
    source_system = f"{'settled' if is_settled else 'live'}{number:02d}"
    anchors = LATE_CHANGES
    if is_settled:
        anchors = tuple(CHANGES[(number * 3 + step) % len(CHANGES)] for step in range(3))
    # calendars of the zones that change around the source's tickets, and one of another
    zones = [CHANGING_ZONES[CHANGES.index(at)] for at in anchors][: CALENDARS_PER_SOURCE - 1]
    zones.append(ZONES[number % len(ZONES)])
    service_codes = tuple(f"{source_system}-svc{place}" for place in range(SERVICES_PER_SOURCE))
    own_calendars = {f"{source_system}-cal{place}": draw(calendars(zone)) for place, zone in enumerate(zones)}
    found_definitions = [
        definition
        for slt in ("a", "b")
        for definition in draw(definitions(f"{source_system}-slt-{slt}", source_system, is_settled))
    ]
    return {
        "source_system": source_system,
        "anchors": anchors,
        "is_settled": is_settled,
        "is_by_second": is_by_second,
        "calendars": own_calendars,
        "services": {
            code: (draw(st.sampled_from((*own_calendars, ALWAYS))), draw(st.sampled_from((None, None, *VENDORS))))
            for code in service_codes
        },
        "definitions": found_definitions,
        "targets": [
            target
            for definition in found_definitions
            for target in draw(targets(definition, tuple(own_calendars), service_codes))
        ],
        "requests": [
            request for code in service_codes for request in draw(exclusion_sets(code, anchors, is_by_second))
        ],
    }


def draw_world() -> World:
    """The same reference data and tickets every time: 2,688 tickets, 210 services each with its own exclusions."""
    all_week = tuple(Opening(day, 0, 1440, date(2015, 1, 1), None) for day in range(1, 8))
    governed = Governed(
        calendars={ALWAYS: Calendar(ALWAYS, "Etc/UTC", all_week)},
        definitions=[],
        targets=[],
        service_calendars={},
        service_vendors={},
        contract_business_units=dict(CONTRACTS),
        requests=[],
        counted=COUNTED,
    )
    world = World(governed)
    requests: list[tuple[str, str, str, str, int, int]] = [
        ("all", "", "force_majeure", "", LATE_CHANGES[0] - 3 * HOUR, LATE_CHANGES[0] + HOUR),
        ("all", "", "planned_maintenance", "", CHANGES[1] - HOUR, CHANGES[1] + 2 * HOUR),
        ("all", "", "force_majeure", "not_approved", CHANGES[0] - DAY, CHANGES[0] + DAY),
        ("vendor", VENDORS[0], "vendor_outage", "", CHANGES[1] - 9 * HOUR, CHANGES[1] + 5 * HOUR),
        ("vendor", VENDORS[0], "force_majeure", "", LATE_CHANGES[1] - 2 * HOUR, LATE_CHANGES[1] + 20 * HOUR),
        ("vendor", VENDORS[1], "planned_maintenance", "", CHANGES[4] - 8 * HOUR, CHANGES[4] + 9 * HOUR),
        ("configuration_item", ITEMS[0], "force_majeure", "", LATE_CHANGES[1] - 5 * HOUR, LATE_CHANGES[1] + 5 * HOUR),
        ("configuration_item", ITEMS[1], "vendor_outage", "", CHANGES[2] - 7 * HOUR, CHANGES[2] + 30 * HOUR),
    ]
    for number in range(SETTLED_SOURCES + LIVE_SOURCES):
        # the first example of a seed is the simplest one there is: the second tells more
        source = collect(sources(number), 2, 1000 + number)[-1]
        for code, (zone, openings, holidays) in source["calendars"].items():
            governed.calendars[code] = Calendar(code, zone, openings, holidays)
        governed.definitions += source["definitions"]
        governed.targets += source["targets"]
        for code, (calendar_code, vendor_code) in source["services"].items():
            governed.service_calendars[code] = calendar_code
            governed.service_vendors[code] = vendor_code
        requests += source["requests"]
        drawn = collect(
            tickets(source["anchors"], tuple(source["services"]), source["is_settled"], source["is_by_second"]),
            TICKETS_PER_SOURCE,
            2000 + number,
        )
        for place, events in enumerate(drawn):
            world.tickets.append(Ticket(f"{number:02d}-{place:03d}", source["source_system"], events))
    for number, conditions in enumerate(collect(refusable_condition_sets(), UNTRIED_DEFINITIONS, 1)):
        drawn_policies = collect(definitions(f"untried-slt-{number:02d}", "untried", True), 1, 3000 + number)[0]
        governed.definitions.append(
            replace(
                drawn_policies[0],
                conditions=conditions,
                is_attached_when_stopped=number % 6 == 0,
                resume_policy="on_condition" if number % 2 else "pause_not_met",
            )
        )
    governed.requests = [Request(f"EXR-{place:04d}", *request) for place, request in enumerate(requests, start=1)]
    return world


def as_it_stood(world: World, as_of_at: int) -> World:
    """The world at an earlier run: what was recorded by then, without one exclusion in five and with old hours."""
    known = [
        replace(ticket, events=tuple(event for event in ticket.events if event.at <= as_of_at))
        for ticket in world.tickets
    ]
    calendars_then = {
        code: replace(calendar, openings=calendar.openings[:-1]) if number % 7 == 0 and code != ALWAYS else calendar
        for number, (code, calendar) in enumerate(world.governed.calendars.items())
    }
    governed = replace(
        world.governed,
        calendars=calendars_then,
        requests=[item for number, item in enumerate(world.governed.requests) if number % 5],
    )
    return replace(world, governed=governed, tickets=[item for item in known if item.events], as_of_at=as_of_at)
