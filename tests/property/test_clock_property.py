"""Drawn tickets through the real models against the brute-force walk: every column of every clock, to the second.

One batch: 2,500 tickets under definitions of every policy, around changes of the offset of four zones, each with the
exclusions of its own service; written where the sources end, built by dbt, compared clock by clock.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.property.clock_oracle import Answer, Definition, Ticket, answer, refusal_reason, settle
from tests.property.harness import Built, build, described, differences
from tests.property.strategies import CHANGES, CHANGING_ZONES, EARLIER_AS_OF, World, as_it_stood, draw_world

SHRINK_ROUNDS = 3

Key = tuple[str, str]


def answers(world: World) -> dict[Key, Answer | None]:
    """What the walk says of every ticket under every SLT of its source, by (ticket_key, slt_code)."""
    by_source: dict[str, dict[str, list[Definition]]] = defaultdict(lambda: defaultdict(list))
    for definition in world.governed.definitions:
        by_source[definition.source_system][definition.slt_code].append(definition)
    found: dict[Key, Answer | None] = {}
    for ticket in world.tickets:
        for slt_code, versions in by_source[ticket.source_system].items():
            told = (answer(ticket, version, world.governed, world.as_of_at) for version in versions)
            found[ticket.ticket_key, slt_code] = next((item for item in told if item), None)
    return found


def mismatches(expected: dict[Key, Answer | None], built: Built) -> dict[Key, list[str]]:
    """The clocks that differ, with how."""
    found = {
        key: differences(expected.get(key), built.results.get(key), built.segments.get(key, []))
        for key in {**expected, **built.results, **built.segments}
    }
    return {key: lines for key, lines in found.items() if lines}


@dataclass(frozen=True)
class Batch:
    """The drawn world, what the walk says of it and what the warehouse says."""

    world: World
    expected: dict[Key, Answer | None]
    built: Built
    folder: Path


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    world = draw_world()
    folder = tmp_path_factory.mktemp("drawn")
    return Batch(world, answers(world), build(world, folder), folder)


def shrunk(batch: Batch, ticket: Ticket, slt_code: str) -> str:
    """The ticket with as few events as still differ, described; all variants of a round go through in one batch."""
    lines: list[str] = []
    world = batch.world
    expected = batch.expected.get((ticket.ticket_key, slt_code))
    found = mismatches(batch.expected, batch.built)[ticket.ticket_key, slt_code]
    governed = replace(
        batch.world.governed,
        definitions=[item for item in batch.world.governed.definitions if item.slt_code == slt_code],
        targets=[item for item in batch.world.governed.targets if item.slt_code == slt_code],
    )
    for number in range(SHRINK_ROUNDS):
        variants = [
            replace(
                ticket, ticket_number=f"{number}-{place}", events=ticket.events[:place] + ticket.events[place + 1 :]
            )
            for place in range(len(ticket.events))
            if len(ticket.events) > 1
        ]
        tried = replace(world, governed=governed, tickets=variants)
        told = answers(tried)
        differing = mismatches(
            told, build(tried, batch.folder / f"shrink_{number}", target_path=batch.folder / "target")
        )
        smaller = next((item for item in variants if (item.ticket_key, slt_code) in differing), None)
        if smaller is None:
            break
        ticket, expected, found = smaller, told[smaller.ticket_key, slt_code], differing[smaller.ticket_key, slt_code]
    lines += found
    lines.append(described(world, ticket, slt_code, expected))
    return "\n".join(lines)


@pytest.mark.slow
@pytest.mark.requirement("LTI-2.5")
@pytest.mark.requirement("SLT-5.5")
def test_every_clock_equals_the_walk(batch: Batch) -> None:
    found = mismatches(batch.expected, batch.built)
    if not found:
        return
    tickets = {ticket.ticket_key: ticket for ticket in batch.world.tickets}
    # the same kind of difference once, on the shortest history that shows it
    kinds: dict[tuple[str, ...], Key] = {}
    for key in sorted(found, key=lambda key: len(tickets[key[0]].events)):
        kinds.setdefault(tuple(line.split(":")[0].split(" from ")[0] for line in found[key]), key)
    shown = [
        "\n".join([*found[key], described(batch.world, tickets[key[0]], key[1], batch.expected.get(key))])
        for key in list(kinds.values())[:3]
    ]
    first = next(iter(kinds.values()))
    pytest.fail(
        f"{len(found)} of {len(batch.expected)} clocks differ, in {len(kinds)} ways. The first, shrunk:\n"
        + shrunk(batch, tickets[first[0]], first[1])
        + "\n\nand as drawn:\n"
        + "\n\n".join(shown)
    )


@pytest.mark.slow
def test_segments_tile_every_clock_and_sum_to_its_totals(batch: Batch) -> None:
    """Said by the marts alone, whatever the walk says."""
    built = batch.built
    assert set(built.segments) <= set(built.results)
    for key, result in built.results.items():
        sums: Counter[str] = Counter()
        stretches: dict[tuple[int, int], int] = defaultdict(int)
        for segment in built.segments.get(key, []):
            assert segment["seconds"] > 0, key
            sums[segment["clock_class"]] += segment["seconds"]
            stretches[segment["from_at"], segment["to_at"]] += segment["seconds"]
        at = result["start_at"]
        for (from_at, to_at), seconds in sorted(stretches.items()):
            assert (from_at, seconds) == (at, to_at - from_at), key
            at = to_at
        ended_at = [result[name] for name in ("stop_at", "canceled_at") if result.get(name) is not None]
        if result["stop_at"] is not None or result["slt_status"].startswith("running"):
            assert at == (ended_at or [result["as_of_at"]])[0], key
        for clock_class in ("paused", "outside_calendar", "excluded", "net", "stopped"):
            assert sums[clock_class] == result.get(f"{clock_class}_seconds", 0), (key, clock_class)
        assert sum(sums.values()) == result["wall_seconds"] == at - result["start_at"], key


@pytest.mark.slow
def test_definitions_that_can_never_run_are_refused_with_the_reason(batch: Batch) -> None:
    definitions = batch.world.governed.definitions
    expected = {(item.slt_code, item.slt_version): refusal_reason(item) for item in definitions}
    assert batch.built.refusals == expected
    reasons = Counter(expected.values())
    for reason in (
        None,
        "start_condition_missing",
        "start_contradicts_itself",
        "start_implies_stop",
        "resume_condition_missing",
    ):
        assert reasons[reason] >= 3, reasons
    refused = {slt_code for (slt_code, version), reason in expected.items() if reason}
    accepted = {slt_code for (slt_code, version), reason in expected.items() if not reason}
    assert not {slt_code for _, slt_code in batch.built.results} & (refused - accepted)


@pytest.mark.slow
def test_tickets_that_never_attach_have_no_clock(batch: Batch) -> None:
    without = [key for key, told in batch.expected.items() if told is None]
    assert len(without) >= 500
    assert not set(without) & (set(batch.built.results) | set(batch.built.segments))


@pytest.mark.slow
def test_draws_reach_every_case(batch: Batch) -> None:
    """The comparison says little about a rule no ticket touches."""
    world, told = batch.world, {key: item for key, item in batch.expected.items() if item}
    tickets = {ticket.ticket_key: ticket for ticket in world.tickets}
    assert len({ticket.events for ticket in world.tickets}) >= 2000
    assert len({key[0] for key in told}) >= 2000

    sets = defaultdict(list)
    for request in world.governed.requests:
        if request.scope_type == "service":
            sets[request.scope_code].append(request)
    assert len(sets) >= 200
    touched = {item.service_code for item in told.values() if item.excluded_seconds}
    assert len(touched & set(sets)) >= 150

    statuses = Counter(item.slt_status for item in told.values())
    for status in ("met", "within_tolerance", "breached", "running", "running_breached", "canceled"):
        assert statuses[status] >= 25, statuses
    for name in ("paused", "outside_calendar", "excluded", "net", "stopped"):
        assert sum(getattr(item, f"{name}_seconds") > 0 for item in told.values()) >= 100, name
    assert sum(item.wall_seconds == 0 for item in told.values()) >= 25
    assert sum(item.is_breached_raw and not item.is_breached_adjusted for item in told.values()) >= 50
    assert sum(item.breach_at not in (None, item.original_breach_at) for item in told.values()) >= 50
    assert sum(item.cycle_number > 1 for item in told.values()) >= 100
    assert sum(any(at % 60 for at in (item.start_at, item.end_at)) for item in told.values()) >= 50
    assert sum(len(settle(ticket.events)) < len(ticket.events) for ticket in world.tickets) >= 200

    # every change of an offset, under calendars of its zone, while the clock was running
    zones = {code: calendar.time_zone for code, calendar in world.governed.calendars.items()}
    crossed = Counter(
        (zones[item.calendar_code], at)
        for item in told.values()
        for at in CHANGES
        if item.start_at < at < item.end_at and item.business_seconds
    )
    for zone, at in zip(CHANGING_ZONES, CHANGES, strict=True):
        assert crossed[zone, at] >= 10, (zone, at, crossed)
    assert sum(zones[item.calendar_code] == "Asia/Kolkata" for item in told.values()) >= 50

    # every policy, where it makes a difference
    definitions = {(item.slt_code, item.slt_version): item for item in world.governed.definitions}
    policies: Counter[tuple[str, object]] = Counter()
    for (ticket_key, slt_code), item in told.items():
        definition = definitions[slt_code, item.slt_version]
        events = tickets[ticket_key].events
        changes = len({(e.priority, e.service_code, e.contract_code) for e in events}) > 1
        policies["reopen", definition.reopen_policy] += 1
        policies["target", definition.target_policy] += changes
        policies["calendar", definition.calendar_policy] += changes
        policies["resume", definition.resume_policy] += item.paused_seconds > 0
        is_late = item.cycle_number == 1 and definition.is_retroactive_start and len(events) > 1
        policies["retroactive", is_late and item.start_at == events[0].at] += 1
        for name in ("start", "stop", "pause", "resume", "cancel", "reset"):
            policies["condition", name] += any(row.condition == name for row in definition.conditions)
    for policy, count in policies.items():
        assert count >= 50, (policy, policies)


@pytest.mark.nightly
@pytest.mark.slow
def test_a_later_run_on_the_same_warehouse_equals_the_walk(batch: Batch) -> None:
    """A day and a half more of events, exclusions approved in retrospect and calendars corrected: all taken up."""
    earlier = as_it_stood(batch.world, EARLIER_AS_OF)
    folder = batch.folder / "again"
    told = answers(earlier)
    differing = mismatches(told, build(earlier, folder, target_path=batch.folder / "target"))
    assert not differing, dict(list(differing.items())[:3])
    assert sum(told.get(key) not in (None, item) for key, item in batch.expected.items()) >= 300
    differing = mismatches(batch.expected, build(batch.world, folder, target_path=batch.folder / "target"))
    tickets = {ticket.ticket_key: ticket for ticket in batch.world.tickets}
    assert not differing, f"{len(differing)} clocks differ after the second run:\n" + "\n\n".join(
        "\n".join([*lines, described(batch.world, tickets[key[0]], key[1], batch.expected.get(key))])
        for key, lines in list(differing.items())[:3]
    )
