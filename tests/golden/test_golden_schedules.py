"""The published two-schedule case against the brute-force walk and through the warehouse."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest

from tests.golden.schedule_cases import (
    FIRST_REPLY,
    PUBLISHED_INTERVALS,
    SCHEDULE_CASES,
    SCHEDULE_CHANGED,
    SCHEDULES,
    WEEK_BEGAN,
    ScheduleCase,
)
from tests.property.clock_oracle import (
    Calendar,
    Condition,
    Definition,
    Event,
    Governed,
    Opening,
    Target,
    Ticket,
    answer,
)
from tests.property.harness import Built, build
from tests.property.strategies import World

ALWAYS_ON = date(2015, 1, 1)
FIRST, LAST = SCHEDULES


def instant(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def calendar(code: str) -> Calendar:
    zone, weekdays, opens_at, closes_at = SCHEDULES[code]
    return Calendar(code, zone, tuple(Opening(day, opens_at, closes_at, ALWAYS_ON, None) for day in weekdays))


def definition(calendar_policy: str) -> Definition:
    """First reply time: from new to the first public reply, held to the target at the reply."""
    return Definition(
        slt_code=f"first_reply_{calendar_policy}",
        slt_version=1,
        source_system="zendesk",
        phase="response",
        reopen_policy="first_stop",
        target_policy="as_of_stop",
        calendar_policy=calendar_policy,
        is_attached_when_stopped=False,
        is_retroactive_start=False,
        is_retroactive_pause=False,
        resume_policy="pause_not_met",
        exclusion_audience="internal",
        at_risk_share=Fraction(3, 4),
        effective_from=ALWAYS_ON,
        effective_to=None,
        conditions=(
            Condition("start", 1, "ticket_state", "is", "new"),
            Condition("stop", 1, "ticket_state", "is", "in_progress"),
        ),
    )


def ticket(created_at: str) -> Ticket:
    """The published ticket; the schedule goes with the service that works on it."""

    def event(at: str, ticket_state: str, service_code: str) -> Event:
        return Event(instant(at), ticket_state, 3, service_code, None, None, None)

    return Ticket(
        f"941606-{instant(created_at)}",
        "zendesk",
        (
            event(created_at, "new", FIRST),
            event(SCHEDULE_CHANGED, "new", LAST),
            event(FIRST_REPLY, "in_progress", LAST),
        ),
    )


@pytest.fixture(scope="module")
def world() -> World:
    definitions = [definition(policy) for policy in ("of_target", "as_of_event")]
    targets = [
        Target(item.slt_code, 1, None, None, code, 3, None, code, 3600, 0, ALWAYS_ON, None)
        for item in definitions
        for code in SCHEDULES
    ]
    all_week = tuple(Opening(day, 0, 1440, ALWAYS_ON, None) for day in range(1, 8))
    governed = Governed(
        calendars={"always": Calendar("always", "Etc/UTC", all_week), **{code: calendar(code) for code in SCHEDULES}},
        definitions=definitions,
        targets=targets,
        service_calendars=dict.fromkeys(SCHEDULES, "always"),
        service_vendors=dict.fromkeys(SCHEDULES),
        contract_business_units={},
        requests=[],
        counted=frozenset(),
    )
    created = sorted({case.created_at for case in SCHEDULE_CASES})
    return World(governed, [ticket(text) for text in created], instant("2020-10-05 00:00:00"))


@pytest.fixture(scope="module")
def built(world: World, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(world, tmp_path_factory.mktemp("schedules"))


@pytest.mark.parametrize("code", SCHEDULES)
def test_schedules_on_the_wall_are_the_published_minutes_of_the_week(code: str) -> None:
    week_minutes = 7 * 24 * 60  # the last interval of Chicago runs into the next week
    published = {
        minute % week_minutes
        for from_minute, to_minute in PUBLISHED_INTERVALS[code]
        for minute in range(from_minute, to_minute)
    }
    found = calendar(code)
    open_minutes = {minute for minute in range(week_minutes) if found.is_open(instant(WEEK_BEGAN) + 60 * minute)}
    assert open_minutes == published


CASES = [pytest.param(case, id=case.name) for case in SCHEDULE_CASES]


@pytest.mark.parametrize("case", CASES)
def test_the_walk_gives_the_published_figures(case: ScheduleCase, world: World) -> None:
    found = answer(ticket(case.created_at), definition(case.calendar_policy), world.governed, world.as_of_at)
    assert found is not None
    assert found.business_seconds == case.business_seconds, case.working


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_warehouse_gives_the_published_figures(case: ScheduleCase, built: Built) -> None:
    found = built.results[ticket(case.created_at).ticket_key, f"first_reply_{case.calendar_policy}"]
    assert found["business_seconds"] == case.business_seconds, case.working
    assert found["net_seconds"] == case.business_seconds
    assert found["calendar_code"] == LAST
